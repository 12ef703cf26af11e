"""Which root a host had when: intervals, from the first report that had it to the last."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from envparity_server.storage.tables import history


@dataclass(frozen=True)
class Interval:
    """A root, and when reports had it; `last_seen` is None while it is the present one."""

    root: str
    first_seen: datetime
    last_seen: datetime | None


def intervals(connection: Connection, host_id: str, limit: int = 50) -> list[Interval]:
    """A host's history, the newest first."""
    rows = connection.execute(
        select(history.c.root, history.c.first_seen, history.c.last_seen)
        .where(history.c.host_id == host_id)
        .order_by(history.c.first_seen.desc())
        .limit(limit)
    )
    return [Interval(row.root, row.first_seen, row.last_seen) for row in rows]


def at(connection: Connection, host_id: str, moment: datetime) -> Interval | None:
    """The interval that a moment falls into, or the last one before it; None before the first report."""
    row = connection.execute(
        select(history.c.root, history.c.first_seen, history.c.last_seen)
        .where(history.c.host_id == host_id, history.c.first_seen <= moment)
        .order_by(history.c.first_seen.desc())
        .limit(1)
    ).one_or_none()
    return Interval(row.root, row.first_seen, row.last_seen) if row else None
