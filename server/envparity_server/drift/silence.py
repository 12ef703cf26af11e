"""Hosts that stopped reporting: those that did so at about the same time are one drift; pure."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from envparity_server.compare.model import Severity, State
from envparity_server.drift.causes import Cause, Course
from envparity_server.drift.findings import Finding, Item, Key
from envparity_server.drift.words import STALE

REPORTS = Key("", "", "")  # what differs: nothing of a section


def silent(subject: str, last: datetime, due: datetime, first: bool) -> Finding:
    """A host that last reported at one moment and would have had to at another."""
    item = Item(subject, REPORTS, str(State.UNKNOWN), None, None, None, Severity.MEDIUM, last, due)
    return Finding(item, STALE, first=first)


def fold(findings: Iterable[Finding], open: Sequence[Course]) -> list[Cause]:
    """Hosts whose last reports lie less than an interval apart fell silent for one cause."""
    made: list[tuple[str | None, list[Item], list[Finding]]] = [
        (one.id, [item for item in one.items if item.gone_at is None], []) for one in open
    ]
    for one in sorted(findings, key=lambda one: (one.item.since_before or datetime.max, one.item.subject)):
        near = (cause for cause in made if any(_is_near(one.item, item) for item in cause[1]))
        home = next(near, None)
        if home is None:
            home = (None, [], [])
            made.append(home)
        home[1].append(one.item)
        home[2].append(one)
    return [Cause(id, tuple(joined)) for id, _, joined in made if joined]


def _is_near(one: Item, other: Item) -> bool:
    if not (one.since_after and one.since_before and other.since_after and other.since_before):
        return False
    interval = max(one.since_before - one.since_after, other.since_before - other.since_after)
    return abs(one.since_after - other.since_after) <= max(interval, timedelta(0))
