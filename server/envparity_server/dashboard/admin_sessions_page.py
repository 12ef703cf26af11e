"""The page Sessions of Admin: who is logged in, and the end of it."""

from http import HTTPStatus

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from envparity_server.api import sessions as api
from envparity_server.api.authentication import engine_of, now
from envparity_server.api.sessions import SessionId
from envparity_server.dashboard.forms import require
from envparity_server.dashboard.pages import page
from envparity_server.storage import sessions
from envparity_server.storage.actors import Role
from envparity_server.storage.database import reading

router = APIRouter()

MOST = 200


@router.get("/admin/sessions")
def show_sessions(request: Request) -> Response:
    """Those of the people who see no more than oneself."""
    with reading(engine_of(request)) as connection:
        found = sessions.listed(connection, require(request, Role.ADMIN), now())
    return page(request, "admin_sessions.html", sessions=found[:MOST], total=len(found))


@router.post("/admin/sessions/{session_id}/revoke")
def revoke_session(request: Request, session_id: SessionId) -> Response:
    """End a session."""
    api.revoke_session(request, session_id, require(request, Role.ADMIN))
    return RedirectResponse("/admin/sessions", HTTPStatus.SEE_OTHER)
