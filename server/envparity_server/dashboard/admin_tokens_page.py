"""The page Tokens of Admin: those of programs, and those with which agents enrol; a new one is told once."""

from http import HTTPStatus

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from envparity_server.api import enrolment_tokens, tokens
from envparity_server.api.authentication import engine_of, now
from envparity_server.api.tokens import MadeAccessToken, NewAccessToken, TokenId
from envparity_server.dashboard.forms import Form, checked, listed, read_form, require
from envparity_server.dashboard.pages import page, seen_by
from envparity_server.storage import hosts
from envparity_server.storage import tokens as stored
from envparity_server.storage.actors import Role
from envparity_server.storage.database import reading

router = APIRouter()

MOST = 200


@router.get("/admin/tokens")
def show_tokens(request: Request) -> Response:
    """The tokens that reach no further than oneself, never what they are."""
    return _shown(request)


def _shown(request: Request, made: MadeAccessToken | None = None) -> Response:
    actor, moment = require(request, Role.ADMIN), now()
    with reading(engine_of(request)) as connection:
        access = [(one, one.state(moment)) for one in stored.access_tokens(connection, actor)]
        enrolment = [(one, one.state(moment)) for one in stored.enrolment_tokens(connection, actor)]
        environments = hosts.environments(connection, seen_by(request))
    return page(
        request, "admin_tokens.html", access=access[:MOST], access_total=len(access), enrolment=enrolment[:MOST],
        enrolment_total=len(enrolment), environments=environments, roles=list(Role), made=made,
    )  # fmt: skip


@router.post("/admin/tokens")
async def make_token(request: Request) -> Response:
    """Make a token and show it, in this answer only."""
    return await run_in_threadpool(_make, request, await read_form(request))


def _make(request: Request, form: Form) -> Response:
    fields = {name: form.text(name) for name in ("name", "role", "days")}
    new = checked(NewAccessToken, **fields, environments=listed(form.text("environments")))
    return _shown(request, tokens.make_token(request, new, require(request, Role.ADMIN)))


@router.post("/admin/tokens/{token_id}/revoke")
def revoke_token(request: Request, token_id: TokenId) -> Response:
    """End a token of a program."""
    tokens.revoke_token(request, token_id, require(request, Role.ADMIN))
    return _back()


@router.post("/admin/enrolment-tokens/{token_id}/revoke")
def revoke_enrolment_token(request: Request, token_id: TokenId) -> Response:
    """Let no more hosts enrol by a token."""
    enrolment_tokens.revoke_enrolment_token(request, token_id, require(request, Role.ADMIN))
    return _back()


def _back() -> Response:
    return RedirectResponse("/admin/tokens", HTTPStatus.SEE_OTHER)
