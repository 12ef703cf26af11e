"""How the page of a drift is arranged: its hosts, its life, and the rule that would expect it; pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from glob import escape

from envparity_agent.fingerprint import Value
from envparity_server.api.drift_documents import DriftItem
from envparity_server.compare.groups import text
from envparity_server.compare.model import State as Found
from envparity_server.dashboard.addresses import permalink
from envparity_server.dashboard.pages import compare_address, short
from envparity_server.drift.life import DECIDED, State
from envparity_server.drift.words import parted
from envparity_server.storage.audit import Entry
from envparity_server.storage.drifts import Drift

_DECISIONS = {"drift.acknowledge": "acknowledged", "drift.snooze": "snoozed", "drift.reopen": "reopened"}
_REACHED = {
    State.SETTLING: "it moves again",
    State.NEW: "it stopped moving: new",
    State.REGRESSED: "it came again",
    State.ONGOING: "ongoing from here on",
    State.RESOLVED: "resolved: nothing of it is left",
}


@dataclass(frozen=True)
class Place:
    """A host that a drift is on, or the environment as a whole; it began between two moments, where that is known."""

    name: str
    address: str
    compare: str
    after: datetime | None
    before: datetime | None


@dataclass(frozen=True)
class Event:
    """Something in the life of a drift."""

    at: datetime
    what: str
    by: str = ""
    reason: str = ""
    until: datetime | None = None


def places(one: Drift) -> list[Place]:
    """Where a drift lasts, by name; where it was, if it lasts nowhere any more."""
    began: dict[str, tuple[datetime | None, datetime | None]] = {}
    for item in one.live or one.items:
        before = began.setdefault(item.subject, (item.since_after, item.since_before))[1]
        if item.since_before and (before is None or item.since_before < before):
            began[item.subject] = item.since_after, item.since_before
    found = [_place(one, subject, *window) for subject, window in began.items()]
    return sorted(found, key=lambda place: (place.name, place.address))


def _place(one: Drift, subject: str, after: datetime | None, before: datetime | None) -> Place:
    if one.is_whole:
        name, left = subject.removeprefix("env:"), subject
        address = permalink("/hosts", environment=name)
    else:
        name, left = one.names.get(subject, subject), f"host:{subject}"
        address = f"/hosts/{subject}"
    return Place(name, address, compare_address(left, one.reference) if one.reference else "", after, before)


def events(one: Drift, decisions: Iterable[Entry]) -> list[Event]:
    """The life of a drift, the oldest first: what is stored of it, and what people decided."""
    found = [Event(one.first_seen, "began")]
    if one.notified_at:
        found.append(Event(one.notified_at, "notified"))
    for entry in decisions:
        until = entry.detail.get("until")
        found.append(
            Event(
                entry.at,
                _DECISIONS.get(entry.action, entry.action),
                entry.actor,
                entry.detail.get("reason") or "",
                datetime.fromisoformat(until) if until else None,
            )
        )
    is_told = one.state in DECIDED or any(event.at == one.state_since for event in found)
    if not is_told:
        found.append(Event(one.state_since, _REACHED[one.state]))
    return sorted(found, key=lambda event: event.at)


def value(one: Value) -> str:
    """What a side has, in a table: a digest by its first digits, empty for nothing."""
    if one is True:
        return "there"
    shown = text(one)
    return f"{shown[7:19]}…" if shown.startswith("sha256:") else shown


def sides(item: DriftItem) -> tuple[str, str]:
    """What the reference has, and what is here."""
    left, right = value(item.left), value(item.right)
    if item.state == Found.ONLY_LEFT:
        return "not there", left or "there"
    if item.state == Found.ONLY_RIGHT:
        return right or "there", "not there"
    return right or "not told", left or "not told"


def told(words: str) -> tuple[str, str]:
    """The words of a drift as pages say them: what differs and where, and how it came."""
    what, how = parted(words)
    return short(what).replace(" -> ", " → "), how.replace("since between ", "between ", 1)


def rule_address(one: Drift, item: DriftItem) -> str:
    """Where a rule is made that expects an item of a drift on its hosts."""
    match = escape(f"{item.section}/{item.item}" if item.item else item.section)
    return permalink("/rules/new", match=match, hosts=one.selector)
