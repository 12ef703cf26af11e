"""What changed in the fleet by day, also on hosts that are retired by now: one change on many hosts is one line."""

import json
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Text, cast, func, or_, select

from envparity_server.storage.actors import Environments
from envparity_server.storage.changes import Change, read_change
from envparity_server.storage.content import batches
from envparity_server.storage.tables import change, host

_ALIKE = [
    change.c[name]
    for name in ("section", "kind", "item", "attribute", "state", "distance", "severity", "actor", "origin")
]
# PostgreSQL groups by no JSON; one value is always written alike
_VALUES = [cast(change.c[name], Text).label(name) for name in ("left", "right")]


@dataclass(frozen=True)
class Wanted:
    """Which changes are asked for; empty: any."""

    environment: str = ""
    host: str = ""  # its id, or a part of its name
    kind: str = ""  # of the section
    text: str = ""  # a part of the item's name
    section: str = ""  # this very one
    item: str = ""  # this very one


ANY = Wanted()


@dataclass(frozen=True)
class Line:
    """A change and the hosts that had it, as (id, name); its moments are those of all of them together."""

    change: Change
    hosts: tuple[tuple[str, str], ...]


def newest(connection: Connection, wanted: Wanted, seen: Environments, before: datetime) -> datetime | None:
    """When the newest change came before a moment; None where there is none."""
    moment: datetime | None = connection.scalar(
        select(func.max(change.c.before)).where(change.c.before < before, *_which(wanted, seen))
    )
    return moment


def counted(
    connection: Connection, wanted: Wanted, seen: Environments, begin: datetime, end: datetime
) -> dict[date, int]:
    """How many changes came on each day in UTC that had any, the newest day first; a change on two hosts is two."""
    day = func.date(change.c.before, type_=Text)
    rows = connection.execute(
        select(day.label("day"), func.count().label("changes"))
        .where(*_between(begin, end), *_which(wanted, seen))
        .group_by(day)
    )
    return dict(sorted(((date.fromisoformat(str(row.day)), row.changes) for row in rows), reverse=True))


def lines(
    connection: Connection,
    wanted: Wanted,
    seen: Environments,
    begin: datetime,
    end: datetime,
    limit: int,
    offset: int = 0,
) -> tuple[list[Line], int]:
    """The changes of a time, the newest first, what is alike on several hosts as one; and how many lines in all."""
    grouped = [*_ALIKE, *_VALUES]
    last = func.max(change.c.before).label("before")
    rows = connection.execute(
        select(
            *grouped,
            func.max(change.c.id).label("id"),
            func.min(change.c.after).label("after"),
            last,
            func.aggregate_strings(change.c.host_id, ",").label("hosts"),
            func.count().over().label("lines"),
        )
        .where(*_between(begin, end), *_which(wanted, seen))
        .group_by(*_ALIKE, *(cast(change.c[name], Text) for name in ("left", "right")))
        .order_by(last.desc(), func.max(change.c.id).desc())
        .limit(limit)
        .offset(offset)
    ).all()
    ids = {row.id: sorted(set(row.hosts.split(","))) for row in rows}
    names = _names(connection, {host_id for own in ids.values() for host_id in own})
    found = [
        Line(_change(row, own[0]), tuple(sorted(((id, names[id]) for id in own), key=lambda one: (one[1], one[0]))))
        for row, own in zip(rows, ids.values(), strict=True)
    ]
    return found, rows[0].lines if rows else 0


def _change(row: Row[*tuple[Any, ...]], host_id: str) -> Change:
    left, right = (json.loads(value) if value else None for value in (row.left, row.right))
    return read_change(row, host_id=host_id, left=left, right=right)


def _names(connection: Connection, ids: set[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for batch in batches(sorted(ids)):
        rows = connection.execute(select(host.c.id, host.c.name).where(host.c.id.in_(batch)))
        found.update((row.id, row.name) for row in rows)
    return found


def _between(begin: datetime, end: datetime) -> list[ColumnElement[bool]]:
    return [change.c.before >= begin, change.c.before < end]


def _which(wanted: Wanted, seen: Environments) -> list[ColumnElement[bool]]:
    own = [
        *([] if seen is None else [host.c.environment.in_(sorted(seen))]),
        *([host.c.environment == wanted.environment] if wanted.environment else []),
        *([or_(host.c.id == wanted.host, host.c.name.icontains(wanted.host, autoescape=True))] if wanted.host else []),
    ]
    return [
        # of all hosts the index of moments alone has what is counted
        *([change.c.host_id.in_(select(host.c.id).where(*own))] if own else []),
        *([change.c.kind == wanted.kind] if wanted.kind else []),
        *([change.c.section == wanted.section] if wanted.section else []),
        *([change.c.item == wanted.item] if wanted.item else []),
        *([change.c.item.icontains(wanted.text, autoescape=True)] if wanted.text else []),
    ]
