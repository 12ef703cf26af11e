"""A line of a count."""

from typing import NamedTuple


class Row(NamedTuple):
    article: str
    count: int
    price: float
    age: int = 0
