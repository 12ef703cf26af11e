"""Login with a name and a password or with a one-time code, and logout."""

from http import HTTPStatus

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from envparity_agent.errors import UsageError
from envparity_server.api.attempts import LoginAttempts
from envparity_server.api.authentication import MAX_TOKEN, SESSION_COOKIE, engine_of, now
from envparity_server.api.problems import Problem
from envparity_server.dashboard.forms import read_form
from envparity_server.dashboard.pages import page
from envparity_server.storage import access, people
from envparity_server.storage.database import reading, writing

router = APIRouter(include_in_schema=False)

_CODE_FAILED = "This code was used already, has expired, or is not one of this server's."
_PASSWORD_FAILED = "The name or the password is not right."  # noqa: S105  # which of them is nobody's business


@router.get("/login")
def show_login(request: Request, next: str = "/", code: str = "") -> Response:
    """The form; with a code in the address, as `envparity up` prints it, the login itself."""
    if code:
        return _by_code(request, code, next)
    return page(request, "login.html", next=next, failed="")


@router.post("/login")
async def log_in(request: Request) -> Response:
    """Trade a password or code for a session; the form is read with the caps of every body: anybody may send one."""
    form = await read_form(request)
    next = form.text("next") or "/"
    if {"password", "name"} <= form.fields.keys():
        return await run_in_threadpool(_by_password, request, form.text("name"), form.fields["password"][0], next)
    if "code" in form.fields:
        return await run_in_threadpool(_by_code, request, form.text("code"), next)
    raise UsageError("the form has neither a code nor a name and a password", "fill in one of the two forms")


def _by_code(request: Request, code: str, next: str) -> Response:
    """A code cannot be guessed, so the right one is never refused for what others tried."""
    with writing(engine_of(request)) as connection:
        token = access.use_login(connection, code.strip()[:MAX_TOKEN], now())
    if token is None:
        return _failed(request, next, "", _CODE_FAILED)
    return begun(request, token, "/setup" if next == "/" and _is_first_run(request) else next)


def _is_first_run(request: Request) -> bool:
    with reading(engine_of(request)) as connection:
        return people.is_first_run(connection)


def _by_password(request: Request, name: str, password: str, next: str) -> Response:
    """The slow hash is computed between two transactions, and for unknown names as well."""
    name = name[:MAX_TOKEN]
    try:
        attempts_of(request).check(address_of(request), name, now())
    except Problem as problem:
        return page(request, "login.html", problem.status, next=next, failed=f"{problem}: {problem.advice}.")
    with reading(engine_of(request)) as connection:
        password_hash = people.password_hash(connection, name)
    token = None
    if people.verified(password, password_hash) and password_hash is not None:
        with writing(engine_of(request)) as connection:
            token = people.begin_session(connection, name, password_hash, now())
    return begun(request, token, next) if token else _failed(request, next, name, _PASSWORD_FAILED)


def attempts_of(request: Request) -> LoginAttempts:
    """How many passwords were wrong of late."""
    attempts: LoginAttempts = request.app.state.login_attempts
    return attempts


def address_of(request: Request) -> str:
    """Where a request comes from, as far as the socket tells."""
    return request.client.host if request.client else ""


def _failed(request: Request, next: str, account: str, why: str) -> Response:
    attempts_of(request).fail(address_of(request), account, now())
    return page(request, "login.html", HTTPStatus.UNAUTHORIZED, next=next, failed=why)


def begun(request: Request, token: str, next: str) -> Response:
    """Hand out the session of a token, and go on."""
    # only a path of this server: //host and /\host would lead away
    safe = next if next.startswith("/") and not next.startswith(("//", "/\\")) else "/"
    response = RedirectResponse(safe, HTTPStatus.SEE_OTHER)
    response.set_cookie(
        SESSION_COOKIE,
        token,
        max_age=int(access.SESSION_LIFE.total_seconds()),
        httponly=True,
        samesite="lax",
        secure=_is_encrypted(request),
    )
    return response


def _is_encrypted(request: Request) -> bool:
    """Whether the browser speaks TLS, also to a proxy; who lies about it loses no more than his own login."""
    return "https" in (request.url.scheme, request.headers.get("x-forwarded-proto", "").lower())


@router.post("/logout")
def log_out(request: Request) -> Response:
    """End the session."""
    with writing(engine_of(request)) as connection:
        access.end_session(connection, request.cookies.get(SESSION_COOKIE, "")[:MAX_TOKEN])
    response = RedirectResponse("/login", HTTPStatus.SEE_OTHER)
    response.delete_cookie(SESSION_COOKIE)
    return response
