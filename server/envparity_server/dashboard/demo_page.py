"""Demo data: recorded hosts that show what the pages are for, and that one click removes."""

from http import HTTPStatus

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from envparity_server.api.authentication import engine_of, now
from envparity_server.api.people import allow
from envparity_server.dashboard.forms import require, require_admin
from envparity_server.demo import loading
from envparity_server.storage.actors import Role
from envparity_server.storage.database import writing

router = APIRouter(include_in_schema=False, dependencies=[Depends(require_admin)])


@router.post("/demo")
def load_demo(request: Request) -> Response:
    """Load it, for who sees all environments: it has some of its own."""
    actor = require(request, Role.ADMIN)
    allow(actor, actor.role, None)
    with writing(engine_of(request)) as connection:
        loading.load(connection, actor, now())
    return RedirectResponse("/", HTTPStatus.SEE_OTHER)


@router.post("/demo/remove")
def remove_demo(request: Request) -> Response:
    """Remove all of it."""
    actor = require(request, Role.ADMIN)
    allow(actor, actor.role, None)
    with writing(engine_of(request)) as connection:
        loading.remove(connection, actor, now())
    return RedirectResponse("/", HTTPStatus.SEE_OTHER)
