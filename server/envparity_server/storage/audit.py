"""The audit log: who decided what, and when. Rows are only ever added: the database itself refuses anything else."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select

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
    actor: Actor,
    action: str,
    object: str,
    now: datetime,
    environment: str | None = None,
    **detail: Any,
) -> None:
    """Add an entry, in the transaction of what it tells: `host.retire`, `rule.add`, ...; never a secret in `detail`."""
    connection.execute(
        insert(audit).values(
            at=now, actor=actor.name, action=action, object=object, environment=environment, detail=detail
        )
    )


def entries(
    connection: Connection, seen: Environments = None, limit: int = 200, before: int | None = None
) -> list[Entry]:
    """The newest entries, those of some environments if asked for; `before` is the id to go on from."""
    query = select(audit).order_by(audit.c.id.desc()).limit(limit)
    if before is not None:
        query = query.where(audit.c.id < before)
    if seen is not None:
        query = query.where(audit.c.environment.in_(sorted(seen)))
    return [Entry(**row._mapping) for row in connection.execute(query)]
