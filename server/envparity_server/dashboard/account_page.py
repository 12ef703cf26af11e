"""The page Account: who one is, one's password and sessions."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from envparity_agent.errors import UsageError
from envparity_server.api.authentication import MAX_TOKEN, SESSION_COOKIE, engine_of, now
from envparity_server.api.lists import not_there
from envparity_server.api.problems import Problem
from envparity_server.dashboard.forms import read_form
from envparity_server.dashboard.login_page import address_of, attempts_of, begun
from envparity_server.dashboard.pages import page, require_person
from envparity_server.storage import people, sessions
from envparity_server.storage.actors import Actor
from envparity_server.storage.database import reading, writing

router = APIRouter(include_in_schema=False, dependencies=[Depends(require_person)])

SessionId = Annotated[str, Path(pattern="^[0-9a-f]{16}$")]


def _name(request: Request) -> str:
    actor: Actor = request.state.actor
    return actor.name.removeprefix("person:")


@router.get("/account")
def show_account(request: Request, changed: bool = False) -> Response:
    """Who one is, and where one is logged in."""
    token = request.cookies.get(SESSION_COOKIE, "")[:MAX_TOKEN]
    with reading(engine_of(request)) as connection:
        person = people.by_name(connection, _name(request))
        own, this = sessions.own(connection, _name(request), token, now())
    return page(
        request, "account.html", one=person, sessions=own, this=this, changed=changed, shortest=people.SHORTEST_PASSWORD
    )


@router.post("/account/password")
async def change_password(request: Request) -> Response:
    """Change one's own password; who has one must know it, and every other session ends."""
    form = await read_form(request)
    given = [form.fields.get(name, [""])[0] for name in ("old", "password", "again")]
    return await run_in_threadpool(_change_password, request, *given)


def _change_password(request: Request, old: str, password: str, again: str) -> Response:
    name, moment = _name(request), now()
    if password != again:
        raise UsageError("the two new passwords are not the same", "go back, and write it twice")
    attempts_of(request).check(address_of(request), name, moment)
    with reading(engine_of(request)) as connection:
        before = people.password_hash(connection, name)
    if before is not None and not people.verified(old, before):
        attempts_of(request).fail(address_of(request), name, moment)
        raise Problem(HTTPStatus.FORBIDDEN, "the old password is not right", "go back, and try again")
    after = people.hash_password(password)
    with writing(engine_of(request)) as connection:
        people.set_password(connection, request.state.actor, name, after, moment)
        token = people.begin_session(connection, name, after, moment)
    if token is None:
        raise Problem(HTTPStatus.FORBIDDEN, "this person may not log in any more")
    return begun(request, token, "/account?changed=1")


@router.post("/account/sessions/{session_id}/end")
def end_session(request: Request, session_id: SessionId) -> Response:
    """End one of one's own sessions."""
    moment = now()
    with writing(engine_of(request)) as connection:
        own, _ = sessions.own(connection, _name(request), "", moment)
        if session_id not in {one.id for one in own}:
            raise not_there("session")
        sessions.revoke(connection, request.state.actor, session_id, moment)
    return RedirectResponse("/account", HTTPStatus.SEE_OTHER)
