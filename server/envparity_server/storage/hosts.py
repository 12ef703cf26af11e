"""Hosts: enrolment, the last report, and who a selector names."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from envparity_server.storage.tables import history, host

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
    epoch: str | None
    seq: int | None
    root: str | None
    seen_at: datetime | None
    taken_at: str | None
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


_COLUMNS = [column for column in host.c if column.name != "credential_hash"]


def _host(row: Row[Any]) -> Host:
    return Host(**row._mapping)


def all_hosts(connection: Connection) -> list[Host]:
    """Every host, by environment and name."""
    return [_host(row) for row in connection.execute(select(*_COLUMNS).order_by(host.c.environment, host.c.name))]


def by_id(connection: Connection, host_id: str) -> Host | None:
    """One host."""
    row = connection.execute(select(*_COLUMNS).where(host.c.id == host_id)).one_or_none()
    return _host(row) if row else None


def by_credential(connection: Connection, credential_hash: str, lock: bool = False) -> Host | None:
    """The host that a credential belongs to; `lock` holds it until the transaction ends."""
    query = select(*_COLUMNS).where(host.c.credential_hash == credential_hash)
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    return _host(row) if row else None


def named(connection: Connection, name: str) -> Sequence[Host]:
    """The one host of an id, else the hosts of a name."""
    one = by_id(connection, name)
    if one:
        return [one]
    return [_host(row) for row in connection.execute(select(*_COLUMNS).where(host.c.name == name))]


def in_environment(connection: Connection, environment: str, labels: Mapping[str, str]) -> Sequence[Host]:
    """The hosts of an environment that have all of the labels."""
    rows = connection.execute(select(*_COLUMNS).where(host.c.environment == environment).order_by(host.c.name))
    hosts = [_host(row) for row in rows]
    return [one for one in hosts if labels.items() <= one.labels.items()]


def environments(connection: Connection) -> list[str]:
    """The names of all environments that have a host."""
    return list(connection.scalars(select(host.c.environment).distinct().order_by(host.c.environment)))


def add(
    connection: Connection,
    host_id: str,
    name: str,
    environment: str,
    labels: Mapping[str, str],
    credential_hash: str,
    now: datetime,
) -> None:
    """Add a host that has not reported yet."""
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


def record(connection: Connection, before: Host, last: Mapping[str, Any], now: datetime) -> None:
    """Make a report the host's last one, and extend or begin an interval of its history.

    1. The interval of another root ends when that root was last seen.
    2. An interval of the new root begins now.
    3. The host's row says what was reported, and when.
    """
    if before.seen_at is not None:
        now = max(now, before.seen_at + timedelta(microseconds=1))  # whatever the server's clock does
    if before.root != last["root"]:
        if before.root is not None:
            connection.execute(
                update(history)
                .where(history.c.host_id == before.id, history.c.last_seen.is_(None))
                .values(last_seen=before.seen_at)
            )
        connection.execute(insert(history).values(host_id=before.id, first_seen=now, root=last["root"]))
    connection.execute(update(host).where(host.c.id == before.id).values(seen_at=now, **last))
