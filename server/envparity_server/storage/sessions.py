"""The sessions of people: listed by their ids, never by what they are, and ended."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, select

from envparity_server.storage import access, audit
from envparity_server.storage.actors import Actor, from_stored
from envparity_server.storage.tables import login, session, user


@dataclass(frozen=True)
class Session:
    """A login that lasts."""

    id: str
    person: str
    created_at: datetime
    expires_at: datetime


def listed(connection: Connection, actor: Actor, now: datetime) -> Sequence[Session]:
    """The sessions that are valid, of the people who see no more than an actor does; the newest first."""
    rows = connection.execute(
        select(session.c.id, session.c.person, session.c.created_at, session.c.expires_at, user.c.environments)
        .join(user, user.c.name == session.c.person)
        .where(session.c.expires_at > now)
        .order_by(session.c.created_at.desc(), session.c.id)
    )
    return [
        Session(row.id, row.person, row.created_at, row.expires_at)
        for row in rows
        if actor.covers(from_stored(row.environments))
    ]


def revoke(connection: Connection, actor: Actor, session_id: str, now: datetime) -> Session | None:
    """End a session; None where the actor sees none of that id."""
    one = next((one for one in listed(connection, actor, now) if one.id == session_id), None)
    if one is not None:
        connection.execute(delete(session).where(session.c.id == session_id))
        audit.write(connection, actor, "session.revoke", session_id, now, person=one.person)
    return one


def own(connection: Connection, person: str, token: str, now: datetime) -> tuple[Sequence[Session], str]:
    """The sessions of one person that are valid, the newest first; and the id of the one with a token."""
    query = select(session).where(session.c.person == person, session.c.expires_at > now)
    rows = connection.execute(query.order_by(session.c.created_at.desc(), session.c.id)).all()
    this = next((row.id for row in rows if row.token_hash == access.hashed(token)), "")
    return [Session(row.id, row.person, row.created_at, row.expires_at) for row in rows], this


def end_all(connection: Connection, person: str) -> None:
    """End all sessions of a person, and forget the login codes that were handed out.

    The codes come first: one that is being used is waited for, and its session ends as well.
    """
    connection.execute(delete(login).where(login.c.person == person))
    connection.execute(delete(session).where(session.c.person == person))
