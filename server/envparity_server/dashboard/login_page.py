"""Login with a one-time code, and logout."""

from http import HTTPStatus
from urllib.parse import parse_qs

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from envparity_agent.errors import UsageError
from envparity_server.api.authentication import MAX_TOKEN, SESSION_COOKIE, engine_of, now
from envparity_server.api.bodies import read_body
from envparity_server.dashboard.pages import page
from envparity_server.storage import access
from envparity_server.storage.database import writing

router = APIRouter(include_in_schema=False)


@router.get("/login")
def show_login(request: Request, next: str = "/", code: str = "") -> Response:
    """The form; with a code in the address, as `envparity up` prints it, the login itself."""
    if code:
        return _log_in(request, code, next)
    return page(request, "login.html", next=next, failed=False)


@router.post("/login")
async def log_in(request: Request) -> Response:
    """Trade the code for a session; the form is read with the caps of every body, since anybody may send one."""
    fields = parse_qs((await read_body(request)).decode("utf-8", "replace"))
    if "code" not in fields:
        raise UsageError("the form has no code", "paste the one-time code")
    return await run_in_threadpool(_log_in, request, fields["code"][0], fields.get("next", ["/"])[0])


def _log_in(request: Request, code: str, next: str) -> Response:
    with writing(engine_of(request)) as connection:
        token = access.use_login(connection, code.strip()[:MAX_TOKEN], now())
    if token is None:
        return page(request, "login.html", HTTPStatus.UNAUTHORIZED, next=next, failed=True)
    # only a path of this server: //host and /\host would lead away
    safe = next if next.startswith("/") and not next.startswith(("//", "/\\")) else "/"
    response = RedirectResponse(safe, HTTPStatus.SEE_OTHER)
    response.set_cookie(
        SESSION_COOKIE,
        token,
        max_age=int(access.SESSION_LIFE.total_seconds()),
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )
    return response


@router.post("/logout")
def log_out(request: Request) -> Response:
    """End the session."""
    with writing(engine_of(request)) as connection:
        access.end_session(connection, request.cookies.get(SESSION_COOKIE, "")[:MAX_TOKEN])
    response = RedirectResponse("/login", HTTPStatus.SEE_OTHER)
    response.delete_cookie(SESSION_COOKIE)
    return response
