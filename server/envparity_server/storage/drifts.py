"""Drifts and their items: what an evaluation reads and writes, what people see of them, and what they decide."""

import secrets
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Table,
    and_,
    distinct,
    exists,
    func,
    or_,
    select,
    true,
    tuple_,
    update,
)

from envparity_server.compare.model import Severity
from envparity_server.drift.findings import Item, Key, Moved
from envparity_server.drift.life import DECIDED, OPEN, Life, State
from envparity_server.storage.actors import Environments
from envparity_server.storage.content import batches
from envparity_server.storage.tables import drift, drift_item, environment, host
from envparity_server.storage.upserts import putting


@dataclass(frozen=True)
class Drift:
    """One cause: what differs on some hosts of a group; `items` and `names` are filled where they were asked for."""

    id: str
    selector: str  # of the group, or env:NAME of a whole environment
    environment: str
    reference: str
    section: str
    kind: str
    severity: Severity
    words: str
    first: bool
    state: State
    state_since: datetime
    first_seen: datetime
    last_seen: datetime
    last_moved: datetime
    moved: Moved
    actor: str | None = None
    deploy: str | None = None
    reason: str | None = None
    decided_by: str | None = None
    until: datetime | None = None
    notified_at: datetime | None = None
    regressions: int = 0
    version: int = 1
    is_whole: bool = False  # its subject is the environment itself, and no host of it
    items: tuple[Item, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)  # of hosts, by id

    @property
    def live(self) -> tuple[Item, ...]:
        """The items that last."""
        return tuple(one for one in self.items if one.gone_at is None)

    @property
    def hosts(self) -> tuple[str, ...]:
        """The names of the subjects that it lasts on."""
        return tuple(sorted({self.names.get(one.subject, one.subject) for one in self.live}))

    @property
    def life(self) -> Life:
        """The part of it that has states."""
        return Life(**{one.name: getattr(self, one.name) for one in fields(Life)})

    def living(self, life: Life) -> "Drift":
        """The same with another life; the version counts its states."""
        changed = life.state != self.state
        more = {one.name: getattr(life, one.name) for one in fields(Life)}
        return replace(self, **more, version=self.version + changed)


_HEAD = [one.name for one in fields(Drift) if one.name not in ("items", "names")]
_COLUMN_OF = {"selector": "hosts"}
_COLUMNS = [drift.c[_COLUMN_OF.get(name, name)].label(name) for name in _HEAD]


def made_id() -> str:
    """The id of a new drift."""
    return secrets.token_hex(8)


def locked(connection: Connection, name: str) -> None:
    """Hold an environment until the transaction ends: two evaluations of one come one after the other."""
    connection.execute(select(environment.c.name).where(environment.c.name == name).with_for_update())


def open_in(connection: Connection, environment: str) -> list[Drift]:
    """The drifts of an environment that are not resolved, with every item, held until the transaction ends."""
    query = select(*_COLUMNS).where(drift.c.environment == environment, _in_state(OPEN)).with_for_update()
    return _with_items(connection, [_drift(row) for row in connection.execute(query.order_by(drift.c.id))])


def resolved_since(connection: Connection, environment: str, since: datetime) -> list[Drift]:
    """The drifts of an environment that were resolved since a moment, with every item."""
    resolved = drift.c.state == State.RESOLVED, drift.c.state_since >= since
    query = select(*_COLUMNS).where(drift.c.environment == environment, *resolved).with_for_update()
    return _with_items(connection, [_drift(row) for row in connection.execute(query.order_by(drift.c.id))])


def by_id(connection: Connection, id: str) -> Drift | None:
    """One drift with its items and the names of its hosts."""
    row = connection.execute(select(*_COLUMNS).where(drift.c.id == id)).one_or_none()
    if row is None:
        return None
    (found,) = _with_items(connection, [_drift(row)])
    subjects = list({one.subject for one in found.items})
    names: dict[str, str] = {}
    for batch in batches(subjects):
        rows = connection.execute(select(host.c.id, host.c.name).where(host.c.id.in_(batch)))
        names.update((row.id, row.name) for row in rows)
    return replace(found, names=names)


@dataclass(frozen=True)
class About:
    """An open drift that one attribute is of."""

    id: str
    state: State


def open_about(
    connection: Connection, keys: Collection[Key], sides: Iterable[tuple[str, str]]
) -> dict[Key, tuple[About, ...]]:
    """The open drifts that these attributes are of, of some environments or of hosts in them.

    A side is an environment and the id of one host of it, "" for all of them.
    """
    whose = [
        and_(drift.c.environment == name, or_(drift.c.is_whole, drift_item.c.subject == id) if id else true())
        for name, id in sides
    ]
    if not whose:
        return {}
    columns = (drift_item.c.section, drift_item.c.item, drift_item.c.attribute)
    query = select(drift.c.id, drift.c.state, *columns).join(drift_item, drift_item.c.drift == drift.c.id).distinct()
    lasting = query.where(drift_item.c.gone_at.is_(None), _in_state(OPEN), or_(*whose)).order_by(drift.c.id)
    found: dict[Key, tuple[About, ...]] = {}
    for batch in batches(sorted(keys)):
        for row in connection.execute(lasting.where(tuple_(*columns).in_(batch))):
            key = Key(row.section, row.item, row.attribute)
            found[key] = (*found.get(key, ()), About(row.id, State(row.state)))
    return found


def moves_elsewhere(connection: Connection, one: Drift, since: datetime) -> bool:
    """Whether an item of a drift is of another open one too that a host joined or left since a moment."""
    keys = sorted({item.key for item in one.live})
    columns = tuple_(drift_item.c.section, drift_item.c.item, drift_item.c.attribute)
    moving = drift.c.id != one.id, drift.c.last_moved > since, _in_state(OPEN)
    for batch in batches(keys):
        query = select(drift.c.id).join(drift_item, drift_item.c.drift == drift.c.id)
        if connection.scalar(query.where(columns.in_(batch), *moving).limit(1)) is not None:
            return True
    return False


@dataclass(frozen=True)
class Wanted:
    """Which drifts a list is of."""

    states: Collection[State] = OPEN
    severity: Severity = Severity.INFO  # the lowest
    environment: str | None = None
    text: str = ""  # every word of it is in the drift's own
    subjects: Collection[str] | None = None  # it lasts on one of these; what is resolved was on one
    highest: Severity = Severity.CRITICAL


def listed(
    connection: Connection, wanted: Wanted, seen: Environments = None, limit: int = 200, offset: int = 0
) -> tuple[list[Drift], int]:
    """Some drifts without their items, the most severe and then the newest first; and how many there are in all."""
    which = and_(_in_state(wanted.states), _fits(wanted, seen))
    total = connection.scalar(select(func.count()).select_from(drift).where(which)) or 0
    order = drift.c.severity.desc(), drift.c.first_seen.desc(), drift.c.id
    rows = connection.execute(select(*_COLUMNS).where(which).order_by(*order).limit(limit).offset(offset))
    return [_drift(row) for row in rows], total


def by_state(connection: Connection, wanted: Wanted, seen: Environments = None) -> Counter[State]:
    """How many drifts there are in each state, whatever states are wanted."""
    query = select(drift.c.state, func.count()).where(_fits(wanted, seen)).group_by(drift.c.state)
    return Counter({State(state): count for state, count in connection.execute(query)})


def _fits(wanted: Wanted, seen: Environments) -> ColumnElement[bool]:
    """All that is wanted but the states."""
    where: list[ColumnElement[bool]] = [drift.c.severity.between(int(wanted.severity), int(wanted.highest))]
    if wanted.environment:
        where.append(drift.c.environment == wanted.environment)
    if seen is not None:
        where.append(drift.c.environment.in_(sorted(seen)))
    if wanted.subjects is not None:
        lasts = or_(drift_item.c.gone_at.is_(None), drift.c.state == State.RESOLVED)
        there = drift_item.c.drift == drift.c.id, drift_item.c.subject.in_(sorted(wanted.subjects))
        where.append(exists().where(*there, lasts))
    where += [drift.c.words.icontains(word, autoescape=True) for word in wanted.text.split()]
    return and_(*where)


def counted(connection: Connection, ids: Iterable[str]) -> dict[str, tuple[int, int]]:
    """On how many subjects each drift lasts, and with how many items."""
    found: dict[str, tuple[int, int]] = {}
    lasting = drift_item.c.gone_at.is_(None)
    for batch in batches(list(ids)):
        key = drift_item.c.drift, drift_item.c.item, drift_item.c.attribute
        items = select(*key).where(drift_item.c.drift.in_(batch), lasting).distinct().subquery()
        per_item = select(items.c.drift, func.count().label("items")).group_by(items.c.drift).subquery()
        rows = connection.execute(
            select(drift_item.c.drift, func.count(distinct(drift_item.c.subject)), func.max(per_item.c["items"]))
            .join(per_item, per_item.c.drift == drift_item.c.drift)
            .where(drift_item.c.drift.in_(batch), lasting)
            .group_by(drift_item.c.drift)
        )
        found.update({row[0]: (row[1], row[2]) for row in rows})
    return found


def decide(
    connection: Connection,
    id: str,
    version: int,
    state: State,
    now: datetime,
    reason: str | None,
    by: str,
    until: datetime | None = None,
) -> bool:
    """Put an open drift into a state that somebody chose; false where it is not as it was at that version any more."""
    changed = connection.execute(
        update(drift)
        .where(drift.c.id == id, drift.c.version == version, _in_state(OPEN))
        .values(state=state, state_since=now, reason=reason, decided_by=by, until=until, version=version + 1)
    )
    return changed.rowcount == 1


def reopened(connection: Connection, id: str, version: int, now: datetime) -> bool:
    """Take back what somebody decided; false where it is not as it was at that version any more."""
    changed = connection.execute(
        update(drift)
        .where(drift.c.id == id, drift.c.version == version, _in_state(DECIDED))
        .values(state=State.ONGOING, state_since=now, reason=None, decided_by=None, until=None, version=version + 1)
    )
    return changed.rowcount == 1


def save(connection: Connection, before: Mapping[str, Drift], after: Iterable[Drift]) -> None:
    """Write what is new or changed: the drifts first, then the items of each."""
    heads, rows = [], []
    for one in after:
        old = before.get(one.id)
        if old is None or _head(old) != _head(one):
            heads.append(_head(one))
        known = set(old.items) if old else set()
        rows += [_row(one.id, item) for item in one.items if item not in known]
    _upsert(connection, drift, heads)
    _upsert(connection, drift_item, rows)


def _upsert(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    for batch in batches(rows):
        connection.execute(putting(connection, table), batch)


def _in_state(states: Collection[State]) -> ColumnElement[bool]:
    return drift.c.state.in_(sorted(states))


def _drift(row: Row[Any]) -> Drift:
    values = {**row._mapping, "severity": Severity(row.severity), "state": State(row.state), "moved": Moved(row.moved)}
    return Drift(**values)


def _with_items(connection: Connection, drifts: list[Drift]) -> list[Drift]:
    found: dict[str, list[Item]] = defaultdict(list)
    order = [drift_item.c[name] for name in ("drift", "section", "item", "attribute", "subject")]
    for batch in batches([one.id for one in drifts]):
        for row in connection.execute(select(drift_item).where(drift_item.c.drift.in_(batch)).order_by(*order)):
            found[row.drift].append(_item(row))
    return [replace(one, items=tuple(found[one.id])) for one in drifts]


def _item(row: Row[Any]) -> Item:
    left, right = (tuple(value) if isinstance(value, list) else value for value in (row.left, row.right))
    return Item(
        row.subject, Key(row.section, row.item, row.attribute), row.state, left, right, row.distance,
        Severity(row.severity), row.since_after, row.since_before, row.gone_at,
    )  # fmt: skip


def _head(one: Drift) -> dict[str, Any]:
    values = {_COLUMN_OF.get(name, name): getattr(one, name) for name in _HEAD}
    return {**values, "severity": int(one.severity), "state": str(one.state), "moved": str(one.moved)}


def _row(id: str, item: Item) -> dict[str, Any]:
    values = {one.name: getattr(item, one.name) for one in fields(Item) if one.name != "key"}
    return {**values, **item.key._asdict(), "drift": id, "severity": int(item.severity)}
