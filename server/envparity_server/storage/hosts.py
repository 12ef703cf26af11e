"""Hosts: enrolment, the last report, and who a selector names."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, insert, or_, select, true, update

from envparity_server.storage.actors import Environments
from envparity_server.storage.tables import environment as environment_table
from envparity_server.storage.tables import host

DEFAULT_INTERVAL = 900
STALE_AFTER = 3  # intervals


@dataclass(frozen=True)
class Host:
    """A machine with an agent, and its last report."""

    id: str
    name: str
    environment: str
    labels: Mapping[str, str]
    enrolled_at: datetime
    ephemeral: bool
    retired_at: datetime | None
    credential_expires_at: datetime | None
    epoch: str | None
    seq: int | None
    root: str | None
    seen_at: datetime | None
    taken_at: str | None
    skew: int | None
    interval: int
    agent: str | None
    identity: Mapping[str, Any]
    observed: Mapping[str, Any]

    def is_stale(self, now: datetime) -> bool:
        """Whether three intervals passed without a report, or the last one lies in the future of a clock gone wrong."""
        if self.seen_at is None:
            return False
        passed = now - self.seen_at
        return not -timedelta(seconds=self.interval) <= passed <= timedelta(seconds=STALE_AFTER * self.interval)

    def state(self, now: datetime) -> str:
        """`never reported`, `stale` or `fresh`."""
        if self.seen_at is None:
            return "never reported"
        return "stale" if self.is_stale(now) else "fresh"


_COLUMNS = [column for column in host.c if column.name not in ("credential_hash", "next_credential_hash")]


def _host(row: Row[Any]) -> Host:
    return Host(**row._mapping)


def all_hosts(connection: Connection, environments: Environments = None) -> list[Host]:
    """Every host that is not retired, by environment and name; of some environments if asked for."""
    query = select(*_COLUMNS).where(host.c.retired_at.is_(None), _seen_by(environments))
    return [_host(row) for row in connection.execute(query.order_by(host.c.environment, host.c.name))]


def _seen_by(environments: Environments) -> ColumnElement[bool]:
    return true() if environments is None else host.c.environment.in_(sorted(environments))


def by_id(connection: Connection, host_id: str) -> Host | None:
    """One host."""
    row = connection.execute(select(*_COLUMNS).where(host.c.id == host_id)).one_or_none()
    return _host(row) if row else None


def by_credential(connection: Connection, credential_hash: str, now: datetime, lock: bool = False) -> Host | None:
    """The host that a credential belongs to while it is valid; `lock` holds it until the transaction ends."""
    query = select(*_COLUMNS).where(
        or_(host.c.credential_hash == credential_hash, host.c.next_credential_hash == credential_hash),
        host.c.retired_at.is_(None),
        or_(host.c.credential_expires_at.is_(None), host.c.credential_expires_at > now),
    )
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    return _host(row) if row else None


def named(connection: Connection, name: str, environments: Environments = None) -> Sequence[Host]:
    """The one host of an id, retired or not, else the hosts of a name that are not retired."""
    seen = _seen_by(environments)
    one = connection.execute(select(*_COLUMNS).where(host.c.id == name, seen)).one_or_none()
    if one:
        return [_host(one)]
    query = select(*_COLUMNS).where(host.c.name == name, host.c.retired_at.is_(None), seen)
    return [_host(row) for row in connection.execute(query)]


def in_environment(
    connection: Connection, environment: str, labels: Mapping[str, str], moment: datetime | None = None
) -> Sequence[Host]:
    """The hosts of an environment that have all of the labels and were not retired at a moment, now by default."""
    present = host.c.retired_at.is_(None) if moment is None else _not_retired_at(moment)
    rows = connection.execute(select(*_COLUMNS).where(host.c.environment == environment, present).order_by(host.c.name))
    hosts = [_host(row) for row in rows]
    return [one for one in hosts if labels.items() <= one.labels.items()]


def _not_retired_at(moment: datetime) -> ColumnElement[bool]:
    return or_(host.c.retired_at.is_(None), host.c.retired_at > moment)


def environments(connection: Connection, seen: Environments = None) -> list[str]:
    """The names of all environments that ever had a host, or were registered."""
    names = connection.scalars(select(environment_table.c.name).order_by(environment_table.c.name))
    return [name for name in names if seen is None or name in seen]


def register_environment(connection: Connection, name: str, now: datetime) -> None:
    """Remember an environment, so that a misspelt one can be told from one without hosts."""
    if connection.scalar(select(environment_table.c.name).where(environment_table.c.name == name)) is None:
        connection.execute(insert(environment_table).values(name=name, created_at=now))


def add(
    connection: Connection,
    host_id: str,
    name: str,
    environment: str,
    labels: Mapping[str, str],
    credential_hash: str,
    now: datetime,
) -> None:
    """Add a host that has not reported yet, and its environment if it is the first there."""
    register_environment(connection, environment, now)
    connection.execute(
        insert(host).values(
            id=host_id,
            name=name,
            environment=environment,
            labels=dict(labels),
            credential_hash=credential_hash,
            enrolled_at=now,
            interval=DEFAULT_INTERVAL,
            identity={},
            observed={},
        )
    )


def has_credential(connection: Connection, host_id: str, credential_hash: str) -> bool:
    """Whether a host is enrolled under this very credential."""
    held = connection.scalar(select(host.c.credential_hash).where(host.c.id == host_id))
    return held == credential_hash


def record(connection: Connection, host_id: str, last: Mapping[str, Any], now: datetime) -> None:
    """Make a report the host's last one."""
    connection.execute(update(host).where(host.c.id == host_id).values(seen_at=now, **last))
