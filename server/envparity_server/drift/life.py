"""The life of a drift: which state it is in, and when somebody is told; pure.

    settling -> new -> ongoing -> resolved -> settling -> regressed -> ongoing -> ...
    any open one -> acknowledged, snoozed (until) -> resolved

It is told once nothing of it moved for the settle time, so what converges by itself, and what flaps, is not told; after
`LONGEST` it is told as it stands. It is resolved once nothing of it is left for the same time: who was told of it is
told that as well. What its hosts had from the start is shown as new, and never told.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

LONGEST = timedelta(hours=12)  # of settling
NEW_FOR = timedelta(hours=24)


class State(StrEnum):
    """Where in its life a drift is."""

    SETTLING = "settling"
    NEW = "new"
    ONGOING = "ongoing"
    ACKNOWLEDGED = "acknowledged"
    SNOOZED = "snoozed"
    RESOLVED = "resolved"
    REGRESSED = "regressed"


DECIDED = frozenset({State.ACKNOWLEDGED, State.SNOOZED})
OPEN = frozenset(State) - {State.RESOLVED}


class Event(StrEnum):
    """What is told."""

    NEW = "new"
    REGRESSED = "regressed"
    RESOLVED = "resolved"
    STALE = "stale"  # of hosts that stopped reporting, instead of new


@dataclass(frozen=True)
class Life:
    """A drift as far as its states go; `first` is for what its hosts had from the start."""

    state: State
    state_since: datetime
    last_moved: datetime  # when a subject last joined or left
    first: bool = False
    until: datetime | None = None
    notified_at: datetime | None = None
    regressions: int = 0


@dataclass(frozen=True)
class Sight:
    """What an evaluation sees of a drift."""

    was_live: bool  # it had an item before
    is_live: bool  # it has one
    moved: bool  # a subject joined or left
    urgent: bool = False  # it is critical, and a further report confirmed it
    held: bool = False  # a deploy that it began in is not over


def begun(now: datetime, first: bool) -> Life:
    """A drift that was not there before."""
    return Life(State.SETTLING, now, now, first)


def step(life: Life, sight: Sight, now: datetime, settle: timedelta) -> tuple[Life, Event | None]:
    """The life after an evaluation, and what is to be told; the same sight again at the same moment changes nothing."""
    if sight.moved:
        life = replace(life, last_moved=now)
    if not sight.is_live:
        return _without(life, now, settle)
    if life.state == State.RESOLVED:
        life = replace(life, state=State.SETTLING, state_since=now, until=None, regressions=life.regressions + 1)
    elif not sight.was_live and sight.moved and now > life.state_since:
        life = replace(life, regressions=life.regressions + 1)  # it flaps
    if life.state == State.SETTLING:
        return _settled(life, sight, now, settle)
    if life.state in (State.NEW, State.REGRESSED) and now - life.state_since >= NEW_FOR:
        return replace(life, state=State.ONGOING, state_since=now), None
    if life.state == State.SNOOZED and life.until is not None and now >= life.until:
        return replace(life, state=State.ONGOING, state_since=now, until=None), None
    return life, None


def _without(life: Life, now: datetime, settle: timedelta) -> tuple[Life, Event | None]:
    if life.state == State.RESOLVED or now - life.last_moved < settle:
        return life, None
    was_told = life.notified_at and life.state != State.SETTLING  # what came again, and went while it settled, was not
    told = Event.RESOLVED if was_told else None
    return replace(life, state=State.RESOLVED, state_since=now, until=None), told


def _settled(life: Life, sight: Sight, now: datetime, settle: timedelta) -> tuple[Life, Event | None]:
    if life.first:
        return replace(life, state=State.NEW, state_since=now), None
    waited = now - life.last_moved >= settle or now - life.state_since >= LONGEST
    if sight.held or not (waited or sight.urgent):
        return life, None
    event = Event.REGRESSED if life.notified_at else Event.NEW
    state = State.REGRESSED if event == Event.REGRESSED else State.NEW
    return replace(life, state=state, state_since=now, notified_at=now), event
