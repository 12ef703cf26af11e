"""The page API: every operation of the OpenAPI document, to read and to try, with nothing from elsewhere."""

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from envparity_server.dashboard.pages import page, require_person

router = APIRouter(include_in_schema=False, dependencies=[Depends(require_person)])


@router.get("/api/docs")
def show_docs(request: Request) -> Response:
    """Show the document of the API; what is tried on the page is asked with the session of the person."""
    return page(request, "docs.html")
