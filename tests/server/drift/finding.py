"""Makes findings and drifts for the tests of causes and words."""

from datetime import datetime, timedelta

from envparity_server.compare.model import Severity
from envparity_server.drift.causes import Course
from envparity_server.drift.findings import Finding, Item, Key, Moved
from envparity_server.drift.life import State
from tests.server.making import NOON

HOUR = timedelta(hours=1)
SHOP = "python/srv/shop"


def item(subject: str, name: str, left: str = "2", right: str = "1", section: str = SHOP, hours: float = 0) -> Item:
    """A version that differs, since some hours after noon."""
    before = NOON + hours * HOUR
    key = Key(section, name, "version")
    return Item(subject, key, "changed", left, right, "major", Severity.HIGH, before - HOUR / 4, before)


def found(subject: str, name: str, left: str = "2", hours: float = 0, moved: Moved = Moved.HOST) -> Finding:
    """The host upgraded it to version 2."""
    return Finding(item(subject, name, left, hours=hours), "python", moved)


def from_start(subject: str, name: str, left: str = "2") -> Finding:
    """The host had it at its first report."""
    return Finding(item(subject, name, left), "python", first=True)


def course(id: str, *items: Item, state: State = State.NEW, first: bool = False, first_seen: datetime = NOON) -> Course:
    """A drift of these items."""
    return Course(id, state, first, first_seen, items)
