"""What changed on a host and when: one row for each difference between two of its reports that could both be read.

A section is held against the last good one of its path, so that what failed in between hides and invents nothing; of
one that is partial only the items that it has are told, as changed. A section that came or went is one row, and only
where the section that lists it is good on both sides. A report makes at most MOST_ROWS rows: where there would be more,
the sections with the most of them are one row each.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, func, insert, or_, select

from envparity_agent.fingerprint import Attributes, SectionLike, Status, Target, Value
from envparity_server.compare.covering import covering, is_complete
from envparity_server.compare.differences import compare
from envparity_server.compare.groups import text, wording
from envparity_server.compare.model import DRIFT_STATES, Difference, Distance, Severity, State
from envparity_server.drift.packagers import Transaction, actor, transactions
from envparity_server.drift.severity import severity
from envparity_server.storage import content
from envparity_server.storage.content import batches
from envparity_server.storage.hosts import Host
from envparity_server.storage.items import key_of, matching
from envparity_server.storage.last_known import Known, known
from envparity_server.storage.presence import above, governing, unseen
from envparity_server.storage.tables import change

MOST_ROWS = 1000


@dataclass(frozen=True)
class Change:
    """One difference between two reports; an empty item is the whole section, an empty section the whole report."""

    id: int
    host_id: str
    after: datetime  # the last report before it
    before: datetime  # the first report with it
    section: str
    kind: str
    item: str
    attribute: str
    state: State  # changed, only_left (it went), only_right (it came)
    left: Value
    right: Value
    distance: Distance | None
    severity: Severity
    actor: str | None  # who, where a log names one
    origin: str | None  # how it came to be: `added in the container`

    @property
    def words(self) -> str:
        """What happened: `3.4 → 3.7`, `added: 1.0`, `removed`; after it how, where that is known."""
        if self.state == State.CHANGED and not self.item:
            said = text(self.right)
        elif self.state == State.CHANGED:
            said = wording(
                Difference(
                    self.section, self.kind, self.item, self.attribute, self.state, self.left, self.right, self.distance
                )
            )
        else:
            value = text(self.left if self.state == State.ONLY_LEFT else self.right)
            said = "removed" if self.state == State.ONLY_LEFT else "added"
            said = f"{said}: {value}" if value and value != "true" else said
        return f"{said}, {self.origin}" if self.origin else said


@dataclass(frozen=True)
class _Side:
    """The host as it was known, or as it is: only the sections that matter."""

    target: Target
    taken_at: str
    sections: Mapping[str, SectionLike]


def record(
    connection: Connection,
    host: Host,
    before: Mapping[str, str],
    after: Mapping[str, str],
    observed: Mapping[str, Attributes],
    now: datetime,
) -> None:
    """Add the rows of a report, before the history advances to it.

    `before` and `after` are the trees (path -> hash) of the last report and of this one, `observed` is this one's; a
    host's first report makes no row. An upgraded agent makes none: only what both schemas declare is compared.
    """
    if host.seen_at is None:
        return
    differing = [path for path in before.keys() | after.keys() if before.get(path) != after.get(path)]
    paths = sorted({path for one in differing for path in (one, *above(one), *governing(one))})
    left = known(connection, host, before, paths, host.seen_at)
    wanted = sorted({*paths, *left} & after.keys())
    right = content.stored(connection, {"new": {path: after[path] for path in wanted}})["new"]
    content.open_differing([{path: one.section for path, one in left.items()}, right], whole=False)
    target = Target("host", host.name)
    as_new = _Side(target, "", right)
    came = _came_unseen(connection, host, left, as_new, host.seen_at)
    left = {path: one for path, one in left.items() if came.keys().isdisjoint((path, *above(path)))}
    as_known = _Side(target, "", {path: one.section for path, one in left.items()})
    clock = timedelta(seconds=host.skew or 0)  # the logs are of the host's own
    logs = {path: transactions(told) for path, told in observed.items() if path.endswith("os-packages")}
    rows = []
    for one in capped(_differences(as_known, as_new)):
        since = _after(one, left, came, host.seen_at)
        rows.append(_row(host, one, since, now, _actor(one, logs, since + clock, now + clock)))
    for batch in batches(rows):
        connection.execute(insert(change), batch)


def _came_unseen(
    connection: Connection, host: Host, left: Mapping[str, Known], right: _Side, seen_at: datetime
) -> dict[str, datetime]:
    """Sections that came and could not be told yet, and the last report without them.

    What lists them was not good when they came and is now, or they could not be read and now can be.
    """
    seeing = {
        cover
        for cover in left.keys() & right.sections.keys()
        if left[cover].until < seen_at and is_complete(left[cover].section)
    }
    asked = {
        path
        for path, one in left.items()
        if one.until < seen_at or not _is_read(one.section) or not seeing.isdisjoint(governing(path))
    }
    told = {path for path in asked if (cover := covering(right, path)) and is_complete(cover)}
    told -= {path for path in told & right.sections.keys() if not _is_read(right.sections[path])}
    return unseen(connection, host, told, seen_at) if told else {}


def _is_read(section: SectionLike) -> bool:
    return is_complete(section) or section.status == Status.PARTIAL


def _differences(left: _Side, right: _Side) -> list[Difference]:
    """Each difference that is one of the host, the most severe first.

    No section is held against one of another path: a place that was renamed is one that went and one that came.
    """
    both = left.sections.keys() & right.sections.keys()
    found = [one for one in _compared(left, right, both) if one.item and _is_told(one, left, right)]
    # of an OS package that brings a Python distribution a comparison tells the latter only; a memory has both
    packages = {path for path in both if left.sections[path].kind == "os-packages"}
    told = {one.id for one in found}
    found += [one for one in _compared(left, right, packages) if one.id not in told and _is_told(one, left, right)]
    for alone in (left.sections.keys() - right.sections.keys(), right.sections.keys() - left.sections.keys()):
        around = {near for path in alone for near in (path, *above(path), *governing(path))}
        found += [one for one in _compared(left, right, around) if one.section in alone and _is_whole(one, left, right)]
    rated = [replace(one, severity=severity(one)) for one in found]
    return sorted(rated, key=lambda one: (-one.severity, one.section, one.item, one.attribute))


def _compared(left: _Side, right: _Side, paths: Set[str]) -> Sequence[Difference]:
    """What differs in some of the sections."""
    ours, theirs = (
        replace(side, sections={path: side.sections[path] for path in sorted(paths & side.sections.keys())})
        for side in (left, right)
    )
    return compare(ours, theirs).differences if paths else ()


def _is_told(one: Difference, left: _Side, right: _Side) -> bool:
    """Whether both sides are known well enough: an item that is in one partial section only may be in the other."""
    read = all(is_complete(side.sections[one.section]) for side in (left, right))
    return one.state == State.CHANGED or (read and one.state in DRIFT_STATES)


def _is_whole(one: Difference, left: _Side, right: _Side) -> bool:
    """Whether a section came or went for sure: what lists it is good on both sides."""
    covers = [covering(side, one.section) for side in (left, right)]
    return one.state in DRIFT_STATES and all(cover and is_complete(cover) for cover in covers)


def capped(differences: Sequence[Difference]) -> Sequence[Difference]:
    """At most MOST_ROWS, the most severe first: one for a whole section where there are more, then one for the rest."""
    kept = list(differences)
    for section, count in Counter(one.section for one in differences).most_common():
        if len(kept) <= MOST_ROWS or count == 1:
            break
        most = next(one for one in kept if one.section == section)
        whole = Difference(section, most.kind, "", "", State.CHANGED, None, f"{count} differences", None, most.severity)
        kept = sorted([whole, *(one for one in kept if one.section != section)], key=lambda one: -one.severity)
    if len(kept) > MOST_ROWS:
        told = f"{len(kept) - MOST_ROWS + 1} more differences"
        kept[MOST_ROWS - 1 :] = [Difference("", "", "", "", State.CHANGED, None, told, None, kept[MOST_ROWS].severity)]
    return kept


def _after(one: Difference, left: Mapping[str, Known], came: Mapping[str, datetime], seen_at: datetime) -> datetime:
    """The last report that is known to have been as it was before."""
    if one.section in came:
        return came[one.section]
    if one.section in left:
        return left[one.section].until_of(one.item)
    cover = next((cover for cover in reversed([*governing(one.section)]) if cover in left), "")
    return left[cover].until if cover else seen_at


def _actor(one: Difference, logs: Mapping[str, Sequence[Transaction]], after: datetime, before: datetime) -> str | None:
    """Who made a change of an OS package, or of what one brought."""
    if one.kind == "os-packages":
        return actor(logs.get(one.section, ()), one.item, one.left, one.right, after, before)
    manager, _, package = one.owner.rpartition(" → ")[2].partition(":")
    if manager not in ("deb", "rpm", "apk"):
        return None
    inside = one.section.rpartition("/python/")[0] if one.section.startswith("container/") else ""
    name, _, version = package.partition(" ")
    log = logs.get(f"{inside}/os-packages" if inside else "os-packages", ())
    return actor(log, name, None, version, after, before)


def _row(host: Host, one: Difference, after: datetime, before: datetime, actor: str | None) -> dict[str, Any]:
    return {
        "host_id": host.id,
        "after": after,
        "before": before,
        "section": one.section,
        "kind": one.kind,
        "item": key_of(one.item),
        "attribute": one.attribute,
        "state": str(one.state),
        "left": one.left,
        "right": one.right,
        "distance": str(one.distance) if one.distance else None,
        "severity": int(one.severity),
        "actor": actor,
        "origin": key_of(one.origin.replace("the right container", "the container")) or None,
    }


def latest(connection: Connection, host_ids: Iterable[str], section: str, item: str) -> dict[str, Change]:
    """The newest change of an item on each host, or of the section as a whole; a host without one is left out."""
    found: dict[str, Change] = {}
    of_item = change.c.section == section, change.c.item.in_(["", key_of(item)])
    for batch in batches(list(host_ids)):
        newest = select(func.max(change.c.id)).where(change.c.host_id.in_(batch), *of_item).group_by(change.c.host_id)
        rows = connection.execute(select(change).where(change.c.id.in_(newest)))
        found.update((row.host_id, read_change(row)) for row in rows)
    return found


def of_hosts(
    connection: Connection,
    host_ids: Iterable[str],
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int = 200,
    offset: int = 0,
    section: str = "",
    item: str = "",
    kind: str = "",
) -> tuple[list[Change], int]:
    """The changes that reports of some hosts first had in a time, the newest first, and how many there are in all.

    `item` may be a glob of `*` and `?`; `section` is a path, and stands for all that is below it as well.
    """
    where: list[ColumnElement[bool]] = []
    if since:
        where.append(change.c.before >= since)
    if until:
        where.append(change.c.before <= until)
    if section:
        where.append(or_(change.c.section == section, change.c.section.startswith(f"{section}/", autoescape=True)))
    if item:
        where.append(matching(connection, change.c.item, item))
    if kind:
        where.append(change.c.kind == kind)
    rows: list[Row[Any]] = []
    total = 0
    for batch in batches(sorted(host_ids)):
        mine = change.c.host_id.in_(batch), *where
        total += connection.scalar(select(func.count()).select_from(change).where(*mine)) or 0
        newest = select(change).where(*mine).order_by(change.c.before.desc(), change.c.id.desc())
        rows += connection.execute(newest.limit(limit + offset))
    rows.sort(key=lambda row: (row.before, row.id), reverse=True)
    return [read_change(row) for row in rows[offset : offset + limit]], total


def read_change(row: Row[*tuple[Any, ...]], **more: Any) -> Change:
    """A change of a row with its columns, or with what is given in the place of some."""
    stored = {**row._mapping, **more}
    values = {one.name: stored[one.name] for one in fields(Change)} | {
        "state": State(stored["state"]),
        "left": _value(stored["left"]),
        "right": _value(stored["right"]),
        "distance": Distance(stored["distance"]) if stored["distance"] else None,
        "severity": Severity(stored["severity"]),
    }
    return Change(**values)


def _value(stored: Any) -> Value:
    return tuple(stored) if isinstance(stored, list) else stored
