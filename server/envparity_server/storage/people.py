"""People: who may log in, as what, and for which environments; any change of it ends the person's sessions."""

import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Any

from pwdlib import PasswordHash
from sqlalchemy import Connection, Row, insert, select, update

from envparity_agent.errors import CannotTell, UsageError
from envparity_server.storage import access, audit, sessions
from envparity_server.storage.actors import Actor, Environments, Role, from_stored, stored
from envparity_server.storage.tables import user

NAME = r"^[A-Za-z0-9][A-Za-z0-9._@-]{0,62}$"
SHORTEST_PASSWORD = 12  # characters
LONGEST_PASSWORD = 1024
ROLES = (Role.VIEWER, Role.OPERATOR, Role.ADMIN)

_HASHER = PasswordHash.recommended()
_AT_ONCE = threading.BoundedSemaphore(4)  # each takes 64 MiB for some 50 ms
LONGEST_WAIT = 5.0  # seconds for one's turn


class AlreadyThere(UsageError):
    """There is a person of this name."""


class Busy(CannotTell):
    """Too many passwords are being checked at once."""


@dataclass(frozen=True)
class Person:
    """Somebody who may log in."""

    name: str
    role: Role
    environments: Environments
    created_at: datetime
    disabled_at: datetime | None
    has_password: bool  # else a one-time code is the only way in


def hash_password(password: str) -> str:
    """The argon2 hash of a password: slow by design, so never inside of a transaction that writes.

    Raises UsageError for a password that is too short or too long.
    """
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise UsageError(
            f"a password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters",
            "take a sentence, or a generated one",
        )
    with _turn():
        return _HASHER.hash(password)


def verified(password: str, password_hash: str | None) -> bool:
    """Whether a password is the one of a hash; it takes as long where there is none, so that no name is given away."""
    with _turn():
        nobodys = _dummy()
        right = _HASHER.verify(password[:LONGEST_PASSWORD], password_hash or nobodys)
    return right and password_hash is not None and len(password) <= LONGEST_PASSWORD


@contextmanager
def _turn() -> Iterator[None]:
    if not _AT_ONCE.acquire(timeout=LONGEST_WAIT):
        raise Busy("too many people log in at once", "try again in a moment")
    try:
        yield
    finally:
        _AT_ONCE.release()


@cache
def _dummy() -> str:
    return _HASHER.hash("nobody's")


_COLUMNS = (
    user.c.name, user.c.role, user.c.environments, user.c.created_at, user.c.disabled_at,
    user.c.password_hash.is_not(None).label("has_password"),
)  # fmt: skip


def _person(row: Row[Any]) -> Person:
    return Person(**{**row._mapping, "role": Role(row.role), "environments": from_stored(row.environments)})


def listed(connection: Connection, actor: Actor) -> Sequence[Person]:
    """The people who see no more than an actor does, by name."""
    everybody = map(_person, connection.execute(select(*_COLUMNS).order_by(user.c.name)))
    return [one for one in everybody if actor.covers(one.environments)]


def by_name(connection: Connection, name: str) -> Person | None:
    """One person."""
    row = connection.execute(select(*_COLUMNS).where(user.c.name == name)).one_or_none()
    return _person(row) if row else None


def add(
    connection: Connection, actor: Actor, name: str, role: Role, environments: Environments,
    password_hash: str | None, now: datetime,
) -> Person:  # fmt: skip
    """Add a person; raises UsageError where the name is none, AlreadyThere where it is taken."""
    if not re.fullmatch(NAME, name):
        raise UsageError(f"{name[:80]!r} is no name of a person", "use letters, digits, dot, dash, underscore, @")
    _check(role)
    if by_name(connection, name):
        raise AlreadyThere(f"there is a person {name} already", "take another name, or change that person")
    reach = stored(environments)
    connection.execute(
        insert(user).values(name=name, role=role, environments=reach, password_hash=password_hash, created_at=now)
    )
    audit.write(connection, actor, "person.add", name, now, role=role, environments=reach)
    return Person(name, role, environments, now, None, password_hash is not None)


def _check(role: Role) -> None:
    if role not in ROLES:
        raise UsageError(f"a person is not {role}", f"roles of people: {', '.join(ROLES)}")


def change(
    connection: Connection, actor: Actor, before: Person, role: Role, environments: Environments, disabled: bool,
    now: datetime,
) -> Person:  # fmt: skip
    """Change what a person may do, and where, or whether at all; any change ends the person's sessions."""
    _check(role)
    after = replace(
        before,
        role=role,
        environments=environments,
        disabled_at=(before.disabled_at or now) if disabled else None,
    )
    if after == before:
        return before
    reach = stored(environments)
    changed = update(user).where(user.c.name == before.name)
    connection.execute(changed.values(role=role, environments=reach, disabled_at=after.disabled_at))
    sessions.end_all(connection, before.name)
    told = {"role": role, "environments": reach, "disabled": disabled}
    audit.write(connection, actor, "person.change", before.name, now, None, **told)
    return after


def set_password(connection: Connection, actor: Actor, name: str, password_hash: str, now: datetime) -> None:
    """Give a person a password, and end the person's sessions."""
    connection.execute(update(user).where(user.c.name == name).values(password_hash=password_hash))
    sessions.end_all(connection, name)
    audit.write(connection, actor, "person.password", name, now)


def password_hash(connection: Connection, name: str) -> str | None:
    """The hash of a person's password; None where there is no such person or password, or the person is disabled."""
    return connection.scalar(select(user.c.password_hash).where(user.c.name == name, user.c.disabled_at.is_(None)))


def begin_session(connection: Connection, name: str, verified_hash: str, now: datetime) -> str | None:
    """A session's token for somebody whose password was verified; None where it was changed meanwhile.

    The row is held, so that a change which ends all sessions ends this one, too.
    """
    held = select(user.c.password_hash).where(user.c.name == name, user.c.disabled_at.is_(None)).with_for_update()
    if connection.scalar(held) != verified_hash:
        return None
    return access.begin_session(connection, name, now)


def is_first_run(connection: Connection) -> bool:
    """Whether nobody was added yet: there is the first person only, who logs in by a code."""
    everybody = connection.execute(select(user.c.name, user.c.password_hash).limit(2)).all()
    return [tuple(one) for one in everybody] == [(access.FIRST_PERSON, None)]
