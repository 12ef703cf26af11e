"""Who asks: a host by its credential, a pipeline or a reader by a token, a person by a session."""

from datetime import UTC, datetime
from http import HTTPStatus

from fastapi import Request
from sqlalchemy import Connection, Engine

from envparity_server.api.problems import Problem
from envparity_server.storage import access, hosts
from envparity_server.storage.database import reading
from envparity_server.storage.hosts import Host

SESSION_COOKIE = "envparity_session"
MAX_TOKEN = 128


def engine_of(request: Request) -> Engine:
    """The application's database."""
    engine: Engine = request.app.state.engine
    return engine


def now() -> datetime:
    """The server's clock, which orders everything."""
    return datetime.now(UTC)


def bearer(request: Request) -> str:
    """The token of the Authorization header; the same refusal for every wrong one."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not 0 < len(token) <= MAX_TOKEN or not token.isascii():
        raise refused()
    return token


def refused() -> Problem:
    """The one answer to a token that is missing, wrong, expired or revoked."""
    return Problem(HTTPStatus.UNAUTHORIZED, "the token is missing or not valid", "ask the server's operator for one")


def host_of(connection: Connection, token: str, lock: bool = False) -> Host:
    """The host whose credential a token is, locked until the transaction ends if asked for; raises Problem 401."""
    found = hosts.by_credential(connection, access.hashed(token), lock)
    if found is None:
        raise refused()
    return found


def is_person(request: Request) -> bool:
    """Whether the request has a valid session."""
    cookie = request.cookies.get(SESSION_COOKIE, "")[:MAX_TOKEN]
    if not cookie:
        return False
    with reading(engine_of(request)) as connection:
        return access.is_session(connection, cookie, now())


def require_reader(request: Request) -> None:
    """Let a person's session or a viewer's token pass; raises Problem 401 or 403."""
    if "authorization" not in request.headers and is_person(request):
        return
    with reading(engine_of(request)) as connection:
        _require_role(connection, bearer(request), ("viewer",))


def require_gate(request: Request) -> None:
    """Let a pipeline's or a viewer's token pass; raises Problem 401 or 403."""
    with reading(engine_of(request)) as connection:
        _require_role(connection, bearer(request), ("ci", "viewer"))


def _require_role(connection: Connection, token: str, roles: tuple[str, ...]) -> None:
    role = access.role_of(connection, token, now())
    if role is None:
        raise refused()
    if role not in roles:
        raise Problem(
            HTTPStatus.FORBIDDEN, f"a token of role {role} may not do this", f"use one of: {', '.join(roles)}"
        )
