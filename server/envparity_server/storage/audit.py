"""The audit log: who decided what, and when. Rows are only ever added: the database itself refuses anything else."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, insert, or_, select

from envparity_server.storage.actors import Actor, Environments
from envparity_server.storage.tables import audit


@dataclass(frozen=True)
class Entry:
    """One decision."""

    id: int
    at: datetime
    actor: str
    action: str
    object: str
    environment: str | None
    detail: Mapping[str, Any]


def write(
    connection: Connection,
    actor: Actor | str,
    action: str,
    object: str,
    now: datetime,
    environment: str | None = None,
    **detail: Any,
) -> None:
    """Add an entry, in the transaction of what it tells: `host.retire`, `rule.add`, ...; never a secret in `detail`.

    Who has no role is given by name: a host (`host:ID`), an enrolment token (`enrolment:ID`).
    """
    name = actor if isinstance(actor, str) else actor.name
    connection.execute(
        insert(audit).values(at=now, actor=name, action=action, object=object, environment=environment, detail=detail)
    )


def is_told(connection: Connection, actor: str, action: str, object: str, since: datetime) -> bool:
    """Whether such an entry was added since a moment: what a machine does over and over is told once in a while."""
    same = (audit.c.actor == actor, audit.c.action == action, audit.c.object == object)
    return connection.scalar(select(audit.c.id).where(audit.c.at >= since, *same).limit(1)) is not None


def count(connection: Connection, seen: Environments = None, text: str = "") -> int:
    """How many entries there are for somebody who sees these environments, with a text in them if asked for."""
    return connection.scalar(select(func.count()).select_from(audit).where(*_wanted(seen, text))) or 0


def entries(
    connection: Connection, seen: Environments = None, limit: int = 200, before: int | None = None, text: str = ""
) -> list[Entry]:
    """The newest entries, those of some environments or with a text if asked for; `before` is the id to go on from."""
    query = select(audit).where(*_wanted(seen, text)).order_by(audit.c.id.desc()).limit(limit)
    if before is not None:
        query = query.where(audit.c.id < before)
    return [Entry(**row._mapping) for row in connection.execute(query)]


def of(connection: Connection, object: str, since: datetime, limit: int = 200) -> list[Entry]:
    """The newest decisions about one thing since a moment: that of its beginning."""
    query = select(audit).where(audit.c.at >= since, audit.c.object == object)
    return [Entry(**row._mapping) for row in connection.execute(query.order_by(audit.c.id.desc()).limit(limit))]


def _wanted(seen: Environments, text: str) -> Iterator[ColumnElement[bool]]:
    if seen is not None:
        yield audit.c.environment.in_(sorted(seen))
    if text:
        told = (audit.c.actor, audit.c.action, audit.c.object)
        yield or_(*(column.icontains(text, autoescape=True) for column in told))
