"""Rules in the database: each with who made it, how often it was hit, and the environment that it belongs to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, delete, func, insert, or_, select, true, update

from envparity_agent.errors import UsageError
from envparity_server.compare.model import Severity
from envparity_server.compare.selectors import ALL, parse_selector
from envparity_server.drift.rules import Rule, Subject, named, rule_id
from envparity_server.storage import baselines, hosts
from envparity_server.storage.actors import Environments
from envparity_server.storage.content import batches
from envparity_server.storage.tables import rule as table

_NO_MOMENT = datetime(2000, 1, 1, tzinfo=UTC)  # selectors of rules have none

_RULE = (
    table.c.id, table.c.match, table.c.hosts, table.c.severity, table.c.reason, table.c.owner, table.c.expires_at,
)  # fmt: skip


class RuleState(StrEnum):
    """What a list of rules may be narrowed to."""

    ACTIVE = "active"
    EXPIRED = "expired"
    NEVER_HIT = "never-hit"  # active, and nothing was ever covered by it


@dataclass(frozen=True)
class StoredRule:
    """A rule, and what the database knows about it."""

    rule: Rule
    environment: str | None  # None: it belongs to all
    created_by: str
    created_at: datetime
    hits: int
    last_hit_at: datetime | None
    version: int


def active(connection: Connection, now: datetime) -> list[Rule]:
    """The rules that have not expired, the oldest first: in the order in which they are tried."""
    return [one for one in all_rules(connection) if not one.is_expired(now)]


def all_rules(connection: Connection) -> list[Rule]:
    """Every rule, those that have expired included: a comparison tells of them. The oldest first."""
    return [_rule(row) for row in connection.execute(select(*_RULE).order_by(table.c.created_at, table.c.id))]


def _rule(row: Row[*tuple[Any, ...]]) -> Rule:
    severity = None if row.severity is None else Severity(row.severity)
    return Rule(row.id, row.match, row.hosts, row.reason, row.owner, row.expires_at, severity)


def _stored(row: Row[*tuple[Any, ...]]) -> StoredRule:
    return StoredRule(
        _rule(row), row.environment, row.created_by, row.created_at, row.hits, row.last_hit_at, row.version
    )


def _seen_by(environments: Environments) -> ColumnElement[bool]:
    """A rule that belongs to all is there for everybody: it holds for their comparisons."""
    if environments is None:
        return true()
    return or_(table.c.environment.is_(None), table.c.environment.in_(sorted(environments)))


def listed(
    connection: Connection,
    now: datetime,
    environments: Environments = None,
    state: RuleState | None = None,
    limit: int = 200,
    offset: int = 0,
) -> tuple[list[StoredRule], int]:
    """Some of the rules that somebody may see, in the order in which they are tried, and how many there are."""
    is_active = or_(table.c.expires_at.is_(None), table.c.expires_at > now)
    wanted = {
        None: true(),
        RuleState.ACTIVE: is_active,
        RuleState.EXPIRED: table.c.expires_at <= now,
        RuleState.NEVER_HIT: and_(is_active, table.c.hits == 0),
    }[state]
    where = and_(wanted, _seen_by(environments))
    total = connection.scalar(select(func.count()).select_from(table).where(where)) or 0
    rows = connection.execute(
        select(table).where(where).order_by(table.c.created_at, table.c.id).limit(limit).offset(offset)
    )
    return [_stored(row) for row in rows], total


def by_id(connection: Connection, id: str, environments: Environments = None) -> StoredRule | None:
    """One rule, if somebody may see it."""
    row = connection.execute(select(table).where(table.c.id == id, _seen_by(environments))).one_or_none()
    return _stored(row) if row else None


def by_ids(connection: Connection, ids: Sequence[str]) -> dict[str, StoredRule]:
    """The rules of these ids that are there."""
    found = {}
    for batch in batches(list(ids)):
        rows = connection.execute(select(table).where(table.c.id.in_(batch)))
        found.update({row.id: _stored(row) for row in rows})
    return found


def add(connection: Connection, rule: Rule, environment: str | None, actor: str, now: datetime) -> None:
    """Add a rule whose id is not there yet."""
    connection.execute(
        insert(table).values(
            id=rule.id,
            match=rule.match,
            hosts=rule.hosts,
            severity=rule.severity,
            reason=rule.reason,
            owner=rule.owner,
            expires_at=rule.expires,
            environment=environment,
            created_by=actor,
            created_at=now,
        )
    )


def change(connection: Connection, rule: Rule, version: int) -> bool:
    """Give a rule this reason, owner and end; False where its version has moved on, and nothing was changed."""
    changed = connection.execute(
        update(table)
        .where(table.c.id == rule.id, table.c.version == version)
        .values(reason=rule.reason, owner=rule.owner, expires_at=rule.expires, version=version + 1)
    )
    return changed.rowcount == 1


def remove(connection: Connection, id: str) -> bool:
    """Remove a rule; False where it is not there (any more)."""
    return connection.execute(delete(table).where(table.c.id == id)).rowcount == 1


def move(connection: Connection, host_id: str, environment: str) -> None:
    """Take the rules for a host along to another environment: who may decide about it may decide about them."""
    connection.execute(update(table).where(table.c.hosts == f"host:{host_id}").values(environment=environment))


def count_hits(connection: Connection, hits: Mapping[str, int], now: datetime) -> None:
    """Count the differences that each rule covered; an id that is no rule's (any more) counts nothing."""
    for id, count in sorted(hits.items()):  # in one order: two that count at once wait for each other, and never both
        connection.execute(update(table).where(table.c.id == id).values(hits=table.c.hits + count, last_hit_at=now))


def placed(
    connection: Connection, rule: Rule, environments: Environments = None
) -> tuple[Rule, str | None, tuple[str, ...]]:
    """The rule with its hosts as they are kept, the environment that it belongs to (None: all), and what to warn of.

    A host is kept by its id: another one of that name, in an environment that the maker may not see, is not meant.
    Raises UsageError for what somebody may not see, exactly as if it were not there.
    """
    if not rule.hosts:
        return rule, None, ()
    selector = parse_selector(rule.hosts, _NO_MOMENT)
    if selector.kind == "host":
        found = hosts.named(connection, selector.name, environments)
        if len(found) != 1:
            why = f"several hosts are called {selector.name}" if found else f"no host {selector.name}"
            raise UsageError(f"hosts: {why}", "name one by its id")
        (one,) = found
        kept = f"host:{one.id}"
        return replace(rule, hosts=kept, id=rule_id(rule.match, kept, rule.severity)), one.environment, ()
    if selector.name == ALL:
        return rule, None, ()
    known = hosts.environments(connection, environments)
    if environments is not None and selector.name not in environments:
        told = ", ".join(f"env:{one}" for one in known) or "none"
        raise UsageError(f"hosts: no environment {selector.name}", f"known environments: {told}")
    missing = f"no host was ever in env:{selector.name}: the rule covers nothing yet"
    return rule, selector.name, () if selector.name in known else (missing,)


def subjects(
    connection: Connection, texts: Sequence[str], now: datetime, environments: Environments = None
) -> list[Subject]:
    """The sides of a comparison that selectors name: a host, of a baseline whom it is for, else the selector."""
    found = []
    for text in texts:
        selector = parse_selector(text, now)
        if selector.kind == "baseline":
            whom = baselines.named(connection, selector.name, environments).applies_to
            found.append(replace(*subjects(connection, (whom,), now, environments), name=text))
            continue
        its_hosts = hosts.named(connection, selector.name, environments) if selector.kind == "host" else ()
        found.append(subject_of_host(its_hosts[0]) if its_hosts else replace(named(selector), name=text))
    return found


def subject_of_host(host: hosts.Host) -> Subject:
    """A host as a side of a comparison."""
    return Subject(host.name, host.environment, host.labels, host.id)
