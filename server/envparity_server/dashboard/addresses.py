"""Addresses of pages: the parameters that many of them take, and permalinks with what they are asked for."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import Query

Text = Annotated[str, Query(max_length=1024, pattern=r"^[^\x00]*$")]  # PostgreSQL takes no NUL
PageNumber = Annotated[int, Query(alias="page", ge=1, le=100_000)]


def permalink(path: str, page: int = 1, **told: str) -> str:
    """A page with what it is asked for; what is empty, and the first page of a list, is left out."""
    query = {name: value for name, value in told.items() if value} | ({"page": str(page)} if page > 1 else {})
    return path + (f"?{urlencode(query)}" if query else "")


def package_address(section: str, item: str, page: int = 1, **told: str) -> str:
    """The page of an item; the section is a path or a kind."""
    return permalink("/packages/item", page, section=section, item=item, **told)
