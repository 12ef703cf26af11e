"""Tokens, login codes and sessions: secrets are made here, handed out once, and stored as hashes only."""

import hashlib
import secrets
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, insert, select, update

from envparity_server.storage.actors import Actor, Environments, Role, from_stored, stored
from envparity_server.storage.tables import access_token, enrolment_token, login, session, user

SESSION_LIFE = timedelta(days=14)
LOGIN_LIFE = timedelta(hours=1)
USE_NOTED_EVERY = timedelta(hours=1)  # so that reading with a token is no write each time
FIRST_PERSON = "admin"  # who logs in by a code that names nobody


def hashed(token: str) -> str:
    """What is stored of a token: tokens are random, so a plain SHA-256 does not give them away."""
    return hashlib.sha256(token.encode()).hexdigest()


def new_id() -> str:
    """An id by which a row can be named that has no other name."""
    return secrets.token_hex(8)


def make_enrolment_token(
    connection: Connection,
    environment: str | None,
    uses: int,
    life: timedelta,
    now: datetime,
    by: str = "local",
    host_life: timedelta | None = None,
) -> str:
    """A token with which agents enrol; with `host_life` their hosts are ephemeral and last as long."""
    token = f"epe_{secrets.token_urlsafe(32)}"
    connection.execute(
        insert(enrolment_token).values(
            token_hash=hashed(token),
            id=new_id(),
            environment=environment,
            expires_at=now + life,
            uses_left=uses,
            host_life=None if host_life is None else int(host_life.total_seconds()),
            created_by=by,
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
            enrolment_token.c.revoked_at.is_(None),
        )
        .values(uses_left=enrolment_token.c.uses_left - 1)
    )
    return (row.environment or environment or "default") if spent.rowcount == 1 else None


def terms_of(connection: Connection, token: str) -> tuple[timedelta | None, str]:
    """How long the hosts last that enrol by a token, None where they stay; and the token's id."""
    query = select(enrolment_token.c.host_life, enrolment_token.c.id)
    row = connection.execute(query.where(enrolment_token.c.token_hash == hashed(token))).one()
    return (None if row.host_life is None else timedelta(seconds=row.host_life)), row.id


def make_access_token(
    connection: Connection,
    role: str,
    name: str,
    life: timedelta,
    now: datetime,
    by: str = "local",
    environments: Environments = None,
) -> str:
    """A token of a role, for all environments or some."""
    token = f"ept_{secrets.token_urlsafe(32)}"
    connection.execute(
        insert(access_token).values(
            token_hash=hashed(token),
            id=new_id(),
            role=Role(role),
            name=name,
            environments=stored(environments),
            created_at=now,
            created_by=by,
            expires_at=now + life,
        )
    )
    return token


def holder_of(connection: Connection, token: str, now: datetime) -> Actor | None:
    """Who holds an access token that is valid."""
    row = connection.execute(
        select(access_token).where(
            access_token.c.token_hash == hashed(token),
            access_token.c.expires_at > now,
            access_token.c.revoked_at.is_(None),
        )
    ).one_or_none()
    return Actor(f"token:{row.name or row.id}", Role(row.role), from_stored(row.environments)) if row else None


def is_use_noted(connection: Connection, token: str, now: datetime) -> bool:
    """Whether the use of an access token was noted within the last hour."""
    noted = connection.scalar(select(access_token.c.last_used_at).where(access_token.c.token_hash == hashed(token)))
    return noted is not None and now - noted < USE_NOTED_EVERY


def note_use(connection: Connection, token: str, now: datetime) -> None:
    """Remember that an access token is in use, so that one that nobody needs can be told."""
    connection.execute(update(access_token).where(access_token.c.token_hash == hashed(token)).values(last_used_at=now))


def make_login(connection: Connection, now: datetime, person: str = FIRST_PERSON) -> str:
    """A code that logs a person in once; the first person, an admin, is made where there is none."""
    if person == FIRST_PERSON and connection.scalar(select(user.c.name).where(user.c.name == person)) is None:
        connection.execute(insert(user).values(name=person, role=Role.ADMIN, created_at=now))
    code = secrets.token_urlsafe(24)
    connection.execute(insert(login).values(code_hash=hashed(code), person=person, expires_at=now + LOGIN_LIFE))
    return code


def use_login(connection: Connection, code: str, now: datetime) -> str | None:
    """Trade a login code for a session's token; None where the code was used, has expired, or never was."""
    person = connection.scalar(select(login.c.person).where(login.c.code_hash == hashed(code)))
    spent = connection.execute(delete(login).where(login.c.code_hash == hashed(code), login.c.expires_at > now))
    return begin_session(connection, person, now) if person and spent.rowcount == 1 else None


def begin_session(connection: Connection, person: str, now: datetime) -> str:
    """A new session's token: each login has one of its own, so that nobody can prepare one for somebody else."""
    token = secrets.token_urlsafe(32)
    connection.execute(
        insert(session).values(
            token_hash=hashed(token), id=new_id(), person=person, created_at=now, expires_at=now + SESSION_LIFE
        )
    )
    return token


def person_of_session(connection: Connection, token: str, now: datetime) -> Actor | None:
    """Who a session belongs to, while it is valid and the person may log in."""
    row = connection.execute(
        select(user.c.name, user.c.role, user.c.environments)
        .join(session, session.c.person == user.c.name)
        .where(session.c.token_hash == hashed(token), session.c.expires_at > now, user.c.disabled_at.is_(None))
    ).one_or_none()
    return Actor(f"person:{row.name}", Role(row.role), from_stored(row.environments)) if row else None


def end_session(connection: Connection, token: str) -> None:
    """Log out."""
    connection.execute(delete(session).where(session.c.token_hash == hashed(token)))
