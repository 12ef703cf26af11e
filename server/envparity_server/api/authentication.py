"""Who asks: a host by its credential, a pipeline or a reader by a token, a person by a session."""

from contextlib import suppress
from datetime import UTC, datetime
from http import HTTPStatus

from fastapi import Request
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import OperationalError

from envparity_server.api.problems import Problem
from envparity_server.storage import access, credentials, hosts
from envparity_server.storage.actors import Actor
from envparity_server.storage.database import reading, writing
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
    found = hosts.by_credential(connection, access.hashed(token), now(), lock)
    if found is None:
        raise refused()
    return found


def is_agent(request: Request, token: str) -> bool:
    """Whether a token is the credential of a host; the first request with a new one ends the old one."""
    engine, secret = engine_of(request), access.hashed(token)
    with reading(engine) as connection:
        known = hosts.by_credential(connection, secret, now()) is not None
        arrived = known and credentials.is_next(connection, secret)
    if arrived:
        with writing(engine) as connection:
            credentials.adopt(connection, secret)
    return known


def is_enrolling(request: Request, token: str) -> bool:
    """Whether a token was ever handed out for enrolling; it may be used up: an enrolment may be sent again."""
    with reading(engine_of(request)) as connection:
        return access.is_enrolment_token(connection, token)


def person_of(request: Request) -> Actor | None:
    """The person whose session the request has."""
    cookie = request.cookies.get(SESSION_COOKIE, "")[:MAX_TOKEN]
    if not cookie:
        return None
    with reading(engine_of(request)) as connection:
        return access.person_of_session(connection, cookie, now())


def actor_of(request: Request) -> Actor | None:
    """Who asks: the holder of the token in the header, else the person of the session; None for nobody known."""
    if "authorization" not in request.headers:
        return person_of(request)
    token, moment = bearer(request), now()
    with reading(engine_of(request)) as connection:
        holder = access.holder_of(connection, token, moment)
        noted = holder is None or access.is_use_noted(connection, token, moment)
    if not noted:
        # who may read goes on reading where nothing can be written: this is a note, not what was asked for
        with suppress(OperationalError), writing(engine_of(request)) as connection:
            access.note_use(connection, token, moment)
    return holder
