"""Causes: what a notification needs to know of drifts, many at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from envparity_server.compare.model import Difference, Distance, Severity, State
from envparity_server.storage.content import batches
from envparity_server.storage.tables import drift, drift_item, host


@dataclass(frozen=True)
class Place:
    """A difference, and where it is: on a host, or on an environment as a whole."""

    host: str
    labels: Mapping[str, str]
    difference: Difference | None  # left is the host's, right its reference's; None where it does not report


@dataclass(frozen=True)
class Cause:
    """A drift with all the places that it is at; those where it was, if it is at none any more."""

    id: str
    hosts: str  # the selector of the group
    environment: str
    section: str
    severity: int
    words: str  # what a person reads, as the evaluation put it
    regressions: int
    places: tuple[Place, ...]


def by_ids(connection: Connection, ids: Sequence[str]) -> dict[str, Cause]:
    """Drifts by their ids; one that is not there is left out."""
    found: dict[str, Cause] = {}
    for batch in batches(list(ids)):
        drifts = connection.execute(select(drift).where(drift.c.id.in_(batch))).all()
        places = _places(connection, {row.id: row.kind for row in drifts})
        for row in drifts:
            there = sorted(places.get(row.id, []), key=lambda one: _order(one[1]))
            present = tuple(place for lasts, place in there if lasts)
            found[row.id] = Cause(
                row.id, row.hosts, row.environment, row.section, row.severity, row.words, row.regressions,
                present or tuple(place for _, place in there),
            )  # fmt: skip
    return found


def _places(connection: Connection, kinds: Mapping[str, str]) -> dict[str, list[tuple[bool, Place]]]:
    """The places of each drift, and whether they last."""
    rows = connection.execute(select(drift_item).where(drift_item.c.drift.in_(list(kinds)))).all()
    known = _subjects(connection, [row.subject for row in rows])
    places: dict[str, list[tuple[bool, Place]]] = {}
    for row in rows:
        name, labels = known.get(row.subject, (row.subject, {}))
        place = Place(name, labels, _difference(row, kinds[row.drift]))
        places.setdefault(row.drift, []).append((row.gone_at is None, place))
    return places


def _order(place: Place) -> tuple[int, str, str, str, str]:
    """The most severe first; the hosts of one item by their names."""
    one = place.difference
    return (-one.severity, one.section, one.item, one.attribute, place.host) if one else (0, "", "", "", place.host)


def _subjects(connection: Connection, subjects: Sequence[str]) -> dict[str, tuple[str, Mapping[str, str]]]:
    found: dict[str, tuple[str, Mapping[str, str]]] = {}
    for batch in batches(list(dict.fromkeys(subjects))):
        for row in connection.execute(select(host.c.id, host.c.name, host.c.labels).where(host.c.id.in_(batch))):
            found[row.id] = (row.name, row.labels)
    return found


def _difference(row: Any, kind: str) -> Difference | None:
    if row.state not in set(State):  # silence
        return None
    return Difference(
        section=row.section,
        kind=kind,
        item=row.item,
        attribute=row.attribute,
        state=State(row.state),
        left=_value(row.left),
        right=_value(row.right),
        distance=Distance(row.distance) if row.distance else None,
        severity=Severity(row.severity),
    )


def _value(stored: Any) -> Any:
    return tuple(stored) if isinstance(stored, list) else stored
