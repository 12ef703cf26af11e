"""Hosts: enrolment, the last report, and who a selector names."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, insert, or_, select, true, update

from envparity_server.storage.actors import Environments
from envparity_server.storage.tables import audit, host
from envparity_server.storage.tables import environment as environment_table
from envparity_server.storage.upserts import adding

DEFAULT_INTERVAL = 900
STALE_AFTER = 3  # intervals
STATES = ("fresh", "stale", "never reported", "expired", "retired")
GONE = ("expired", "retired")  # on purpose: never alarming


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
        """Whether three intervals passed without a report, or the last one lies in the future of a clock gone wrong.

        A host that is gone on purpose, retired or ephemeral and past its end, is not missed.
        """
        if self.seen_at is None or self.retired_at is not None or self.has_expired(now):
            return False
        passed = now - self.seen_at
        return not -timedelta(seconds=self.interval) <= passed <= timedelta(seconds=STALE_AFTER * self.interval)

    def has_expired(self, now: datetime) -> bool:
        """Whether it is an ephemeral host whose credential has ended."""
        return self.credential_expires_at is not None and self.credential_expires_at <= now

    def state(self, now: datetime) -> str:
        """One of STATES."""
        if self.retired_at is not None:
            return "retired"
        if self.has_expired(now):
            return "expired"
        if self.seen_at is None:
            return "never reported"
        return "stale" if self.is_stale(now) else "fresh"


_COLUMNS = [host.c[one.name] for one in fields(Host)]


def _host(row: Sequence[Any]) -> Host:
    return Host(*row)  # by position: a page reads a thousand


def all_hosts(connection: Connection, environments: Environments = None, retired: bool = False) -> list[Host]:
    """Every host that is not retired, or with those, by environment and name; of some environments if asked for."""
    present = true() if retired else host.c.retired_at.is_(None)
    query = select(*_COLUMNS).where(present, _seen_by(environments))
    return [_host(row) for row in connection.execute(query.order_by(host.c.environment, host.c.name))]


def count_retired(connection: Connection, environments: Environments = None) -> int:
    """How many hosts are retired."""
    query = select(func.count()).select_from(host).where(host.c.retired_at.is_not(None), _seen_by(environments))
    return connection.scalar(query) or 0


def _seen_by(environments: Environments) -> ColumnElement[bool]:
    return true() if environments is None else host.c.environment.in_(sorted(environments))


def by_id(connection: Connection, host_id: str, environments: Environments = None, lock: bool = False) -> Host | None:
    """One host, retired or not; None for who may not see its environment, as if it did not exist.

    `lock` holds it until the transaction ends.
    """
    query = select(*_COLUMNS).where(host.c.id == host_id, _seen_by(environments))
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
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


def matches(host: Host, text: str) -> bool:
    """Whether a host's name, environment or labels have every word of a text."""
    haystack = " ".join((host.name, host.environment, *(f"{k}={v}" for k, v in host.labels.items()))).lower()
    return all(word in haystack for word in text.lower().split())


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
    connection.execute(adding(connection, environment_table).values(name=name, created_at=now))


def add(
    connection: Connection,
    host_id: str,
    name: str,
    environment: str,
    labels: Mapping[str, str],
    credential_hash: str,
    now: datetime,
    life: timedelta | None = None,
) -> None:
    """Add a host that has not reported yet, and its environment if it is the first there.

    With `life` it is ephemeral: its credential ends by itself, and it never votes.
    """
    register_environment(connection, environment, now)
    connection.execute(
        insert(host).values(
            id=host_id,
            name=name,
            environment=environment,
            labels=dict(labels),
            credential_hash=credential_hash,
            credential_expires_at=None if life is None else now + life,
            ephemeral=life is not None,
            enrolled_at=now,
            interval=DEFAULT_INTERVAL,
            identity={},
            observed={},
        )
    )


def enrolled_by(connection: Connection, token_id: str, environments: Environments, most: int) -> Sequence[Host]:
    """The hosts that enrolled by a token, the newest first."""
    told = (audit.c.actor == f"enrolment:{token_id}", audit.c.action == "host.enrol")
    query = select(*_COLUMNS).join(audit, audit.c.object == host.c.id).where(*told, _seen_by(environments))
    return [_host(row) for row in connection.execute(query.order_by(audit.c.id.desc()).limit(most))]


def has_credential(connection: Connection, host_id: str, credential_hash: str) -> bool:
    """Whether a host that is not retired is enrolled under this very credential."""
    held = connection.scalar(select(host.c.credential_hash).where(host.c.id == host_id, host.c.retired_at.is_(None)))
    return held == credential_hash


def record(connection: Connection, host_id: str, last: Mapping[str, Any], now: datetime) -> None:
    """Make a report the host's last one."""
    connection.execute(update(host).where(host.c.id == host_id).values(seen_at=now, **last))


def change(connection: Connection, host_id: str, **values: Any) -> None:
    """Give a host another `name`, `environment` or `labels`: what it runs and ran stays its own."""
    connection.execute(update(host).where(host.c.id == host_id).values(**values))


def retire_expired(connection: Connection, now: datetime) -> None:
    """Retire the ephemeral hosts whose credentials ended, as of then."""
    ended = host.c.ephemeral, host.c.retired_at.is_(None), host.c.credential_expires_at <= now
    connection.execute(
        update(host).where(*ended).values(retired_at=host.c.credential_expires_at, next_credential_hash=None)
    )


def retire(connection: Connection, host_id: str, now: datetime) -> None:
    """End a host's credential and take it out of every selector; its history stays."""
    connection.execute(
        update(host)
        .where(host.c.id == host_id, host.c.retired_at.is_(None))
        .values(retired_at=now, next_credential_hash=None)
    )
