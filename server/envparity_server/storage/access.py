"""Tokens, login codes and sessions: made here, handed out once, stored as hashes only."""

import hashlib
import secrets
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, insert, select, update

from envparity_server.storage.tables import access_token, enrolment_token, login, session

SESSION_LIFE = timedelta(days=14)
LOGIN_LIFE = timedelta(hours=1)


def hashed(token: str) -> str:
    """What is stored of a token: tokens are random, so a plain SHA-256 does not give them away."""
    return hashlib.sha256(token.encode()).hexdigest()


def make_enrolment_token(
    connection: Connection, environment: str | None, uses: int, life: timedelta, now: datetime
) -> str:
    """A token with which agents enrol."""
    token = f"epe_{secrets.token_urlsafe(32)}"
    connection.execute(
        insert(enrolment_token).values(
            token_hash=hashed(token), environment=environment, expires_at=now + life, uses_left=uses
        )
    )
    return token


def is_enrolment_token(connection: Connection, token: str) -> bool:
    """Whether a token was ever handed out for enrolling; it may be used up: an enrolment may be sent again."""
    return (
        connection.scalar(select(enrolment_token.c.token_hash).where(enrolment_token.c.token_hash == hashed(token)))
        is not None
    )


def use_enrolment_token(connection: Connection, token: str, environment: str | None, now: datetime) -> str | None:
    """Spend one use of a token; returns the environment to enrol into, None where the token does not allow it.

    One statement takes the use, so that of two agents at the last one exactly one gets it.
    """
    row = connection.execute(
        select(enrolment_token.c.environment).where(enrolment_token.c.token_hash == hashed(token))
    ).one_or_none()
    if row is None or (row.environment and environment and environment != row.environment):
        return None
    spent = connection.execute(
        update(enrolment_token)
        .where(
            enrolment_token.c.token_hash == hashed(token),
            enrolment_token.c.uses_left > 0,
            enrolment_token.c.expires_at > now,
        )
        .values(uses_left=enrolment_token.c.uses_left - 1)
    )
    return (row.environment or environment or "default") if spent.rowcount == 1 else None


def make_access_token(connection: Connection, role: str, name: str, life: timedelta, now: datetime) -> str:
    """A token for a pipeline (`ci`) or a reader (`viewer`)."""
    token = f"ept_{secrets.token_urlsafe(32)}"
    connection.execute(
        insert(access_token).values(
            token_hash=hashed(token), role=role, name=name, created_at=now, expires_at=now + life
        )
    )
    return token


def role_of(connection: Connection, token: str, now: datetime) -> str | None:
    """The role of an access token that is valid."""
    return connection.scalar(
        select(access_token.c.role).where(access_token.c.token_hash == hashed(token), access_token.c.expires_at > now)
    )


def make_login(connection: Connection, now: datetime) -> str:
    """A code that logs in once."""
    code = secrets.token_urlsafe(24)
    connection.execute(insert(login).values(code_hash=hashed(code), expires_at=now + LOGIN_LIFE))
    return code


def use_login(connection: Connection, code: str, now: datetime) -> str | None:
    """Trade a login code for a session's token; None where the code was used, has expired, or never was."""
    spent = connection.execute(delete(login).where(login.c.code_hash == hashed(code), login.c.expires_at > now))
    if spent.rowcount != 1:
        return None
    token = secrets.token_urlsafe(32)
    connection.execute(insert(session).values(token_hash=hashed(token), expires_at=now + SESSION_LIFE))
    return token


def is_session(connection: Connection, token: str, now: datetime) -> bool:
    """Whether a session is valid."""
    found = connection.scalar(
        select(session.c.token_hash).where(session.c.token_hash == hashed(token), session.c.expires_at > now)
    )
    return found is not None


def end_session(connection: Connection, token: str) -> None:
    """Log out."""
    connection.execute(delete(session).where(session.c.token_hash == hashed(token)))
