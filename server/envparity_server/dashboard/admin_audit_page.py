"""The page Audit of Admin: who decided what, and when."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from envparity_server.api.authentication import engine_of
from envparity_server.dashboard.pages import page, seen_by
from envparity_server.storage import audit
from envparity_server.storage.database import reading

router = APIRouter()

PAGE_ROWS = 100

Text = Annotated[str, Query(max_length=200, pattern=r"^[^\x00]*$")]


@router.get("/admin/audit")
def show_audit(request: Request, q: Text = "", before: Annotated[int | None, Query(ge=1, lt=2**63)] = None) -> Response:
    """The newest entries first, those with a text in them if asked for."""
    with reading(engine_of(request)) as connection:
        found = audit.entries(connection, seen_by(request), PAGE_ROWS + 1, before, q.strip())
        total = audit.count(connection, seen_by(request), q.strip())
    older = found[PAGE_ROWS - 1].id if len(found) > PAGE_ROWS else None
    return page(
        request, "admin_audit.html", entries=found[:PAGE_ROWS], total=total, older=older, q=q, is_first=before is None,
        told=_told,
    )  # fmt: skip


def _told(detail: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """What is to be told of a decision; a time as one, which is shown in the reader's zone."""
    for key, value in detail.items():
        if isinstance(value, str) and "T" in value:
            with suppress(ValueError):
                value = datetime.fromisoformat(value)
        if value not in (None, ""):
            yield key, ", ".join(map(str, value)) if isinstance(value, list) else value
