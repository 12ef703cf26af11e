"""What holding a subject, a host or a whole environment, against its reference finds; and what it cannot tell."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from envparity_agent.fingerprint import FingerprintLike, Value
from envparity_server.compare.covering import covering, is_complete
from envparity_server.compare.model import DRIFT_STATES, UNKNOWN_STATES, Comparison, Difference, Severity


class Key(NamedTuple):
    """What differs, whoever it differs on."""

    section: str
    item: str
    attribute: str


class Moved(StrEnum):
    """Who changed, so that two who were alike are not any more."""

    HOST = "host"
    REFERENCE = "reference"  # the other hosts, or the baseline
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Item:
    """One attribute that differs on one subject; it began between `since_after` and `since_before`.

    `left` is the subject's value and `right` its reference's; `gone_at` is None while it lasts.
    """

    subject: str
    key: Key
    state: str
    left: Value
    right: Value
    distance: str | None
    severity: Severity
    since_after: datetime | None
    since_before: datetime | None
    gone_at: datetime | None = None


@dataclass(frozen=True)
class Finding:
    """An item that was not there at the last evaluation, and how it came."""

    item: Item
    kind: str
    moved: Moved = Moved.UNKNOWN
    actor: str | None = None
    first: bool = False  # the subject had it when it was first looked at


@dataclass(frozen=True)
class Look:
    """What a comparison of a subject (left) with its reference (right) says, with rules applied."""

    subject: str
    found: Mapping[Key, Difference]
    unknown: frozenset[tuple[str, str]]  # (section, item) that could not be compared; no item: nothing of the section
    fingerprint: FingerprintLike

    def is_gone(self, key: Key) -> bool:
        """Whether something that differed before is known to differ no more: what is unknown is not gone."""
        if key in self.found or {(key.section, ""), (key.section, key.item)} & self.unknown:
            return False
        section = self.fingerprint.sections.get(key.section)
        listed = section or covering(self.fingerprint, key.section)
        return listed is None or is_complete(listed)


def look(subject: str, comparison: Comparison, fingerprint: FingerprintLike) -> Look:
    """Sort a rated comparison into what differs and what cannot be told; what a rule expects is neither."""
    found = {key_of(one): one for one in comparison.differences if one.state in DRIFT_STATES}
    unknown = {(one.section, one.item) for one in comparison.differences if one.state in UNKNOWN_STATES}
    unread = {(one.section, "") for one in comparison.unexamined if not one.beyond}
    return Look(subject, found, frozenset(unknown | unread), fingerprint)


def key_of(difference: Difference) -> Key:
    """What differs."""
    return Key(difference.section, difference.item, difference.attribute)
