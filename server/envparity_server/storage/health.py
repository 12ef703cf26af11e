"""Whether the database can do its work now: asked by load balancers, by `envparity server doctor`, and at the start."""

import os
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, Engine, func, insert, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from envparity_agent.errors import CannotTell
from envparity_server.storage import hosts
from envparity_server.storage.database import known_revisions, present_revision, writing
from envparity_server.storage.tables import (
    audit,
    change,
    content,
    delivery,
    drift,
    environment,
    gate_run,
    host,
    page_item,
)

SKEWED = 300  # seconds
LEAST_FREE = 16 * 1024 * 1024  # bytes: a report of a large host with its log of what was written


_NOBODYS = " "  # no environment has such a name


class _Undone(Exception):
    """Ends a transaction that was only tried."""


def problem(engine: Engine, now: datetime) -> str | None:
    """Why the database cannot be used for writing now, None where it can: a row is written, and taken back."""
    try:
        present, newest = present_revision(engine), known_revisions()[-1]
        if present != newest:
            return f"the database has schema {present or 'none'}, this program needs {newest}"
        with writing(engine) as connection:
            connection.execute(insert(environment).values(name=_NOBODYS, created_at=now))
            raise _Undone
    except _Undone:
        return _disk_full(engine)
    except CannotTell:  # its words may hold an address
        return "the database cannot be opened"
    except (DBAPIError, PoolTimeoutError) as wrong:
        return f"the database cannot be written ({type(wrong.__cause__ or wrong).__name__})"


def _disk_full(engine: Engine) -> str | None:
    """SQLite writes at the commit, so what was taken back says nothing of the disk."""
    free = free_bytes(engine)
    if free is not None and free < LEAST_FREE:
        return f"the disk of the database has {free // 1024} KiB left"
    return None


def free_bytes(engine: Engine) -> int | None:
    """What is left on the disk of SQLite's file; None for a database that is elsewhere."""
    if engine.dialect.name != "sqlite" or not engine.url.database:
        return None
    state = os.statvfs(Path(engine.url.database).absolute().parent)
    return state.f_bavail * state.f_frsize


class Readiness:
    """The same, asked at most once a second however many ask: nobody can keep the database busy by it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._asked = float("-inf")
        self._problem: str | None = None

    def problem(self) -> str | None:
        """Why the database cannot be used now, or a moment ago; None where it can."""
        if time.monotonic() - self._asked >= 1:
            self._problem = problem(self._engine, datetime.now(UTC))
            self._asked = time.monotonic()
        return self._problem


@dataclass(frozen=True)
class Counts:
    """How much there is of what an operator watches."""

    hosts: dict[str, int]  # by state: `hosts.STATES`
    newest_report: datetime | None
    skewed: int  # hosts whose clock is off
    deliveries_waiting: int
    last_backup: datetime | None


def counts(connection: Connection, now: datetime) -> Counts:
    """What an operator watches, in few queries."""
    known = hosts.all_hosts(connection, retired=True)
    states = dict.fromkeys(hosts.STATES, 0)
    for one in known:
        states[one.state(now)] += 1
    last_backup = select(func.max(audit.c.at)).where(audit.c.action == "server.backup")
    waiting = select(func.count()).select_from(delivery).where(delivery.c.due_at.is_not(None))
    return Counts(
        hosts=states,
        newest_report=max((one.seen_at for one in known if one.seen_at), default=None),
        skewed=sum(abs(one.skew or 0) > SKEWED for one in known if one.state(now) not in hosts.GONE),
        deliveries_waiting=connection.scalar(waiting) or 0,
        last_backup=connection.scalar(last_backup),
    )


_COUNTED = {
    "hosts, also retired ones": host, "objects of fingerprints": content, "items in use": page_item, "changes": change,
    "drifts": drift, "runs of gates": gate_run, "entries of the audit log": audit,
}  # fmt: skip
_SIZE = {
    "sqlite": "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size",
    "postgresql": "SELECT pg_database_size(current_database())",
}


def rows(connection: Connection) -> dict[str, int]:
    """How many rows the tables have that grow."""
    return {name: connection.scalar(select(func.count()).select_from(table)) or 0 for name, table in _COUNTED.items()}


def size(connection: Connection) -> int:
    """How many bytes the database takes."""
    return int(connection.scalar(text(_SIZE[connection.dialect.name])) or 0)
