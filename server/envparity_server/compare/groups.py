"""Groups differences by section and folds what is too much to read: the same lines for the terminal and the page."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import NamedTuple, TypeGuard

from envparity_agent.fingerprint import Value
from envparity_agent.kinds import title
from envparity_server.compare import values
from envparity_server.compare.model import (
    DRIFT_STATES,
    LOCK,
    UNKNOWN_STATES,
    Comparison,
    Difference,
    Severity,
    State,
)

FOLD_OVER = 8  # a section with more differences than this is one line until it is opened
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")  # people tell two of them apart by their first digits
_HASHES = frozenset({"content", "metadata", "pure", "manifest", "config"})  # attributes that are one

MISSING = "missing"
WORDS = {
    State.SAME: "same",
    State.CHANGED: "changed",
    State.ONLY_LEFT: "only left",
    State.ONLY_RIGHT: "only right",
    State.INCOMPARABLE: "not comparable",
    State.UNKNOWN: "unknown",
    State.EXPECTED: "expected",
}


class Sides(NamedTuple):
    """How the two sides are called."""

    left: str = "the left side"
    right: str = "the right side"
    only_left: str = WORDS[State.ONLY_LEFT]
    only_right: str = WORDS[State.ONLY_RIGHT]


LEFT_AND_RIGHT = Sides()


@dataclass(frozen=True)
class Group:
    """The differences of one section, the most severe first."""

    section: str
    counterpart: str  # the right side's path, where it is another one
    why_paired: str
    title: str
    differences: tuple[Difference, ...]

    @property
    def severity(self) -> Severity:
        """The highest severity in the group."""
        return max(one.severity for one in self.differences)

    @property
    def is_folded(self) -> bool:
        """Whether there are too many to show at once."""
        return len(self.differences) > FOLD_OVER

    @property
    def digest(self) -> str:
        """The group in one line: `312 changed (40 major, 112 minor, 160 patch), 12 only left`."""
        states = Counter(one.state for one in self.differences)
        parts = []
        for state, count in states.most_common():
            distances = Counter(one.distance for one in self.differences if one.state == state and one.distance)
            inner = ", ".join(f"{number} {distance}" for distance, number in distances.most_common())
            parts.append(f"{count} {WORDS[state]}" + (f" ({inner})" if inner else ""))
        return ", ".join(parts)

    @property
    def examples(self) -> tuple[str, ...]:
        """The items that matter most in the group."""
        return tuple(dict.fromkeys(one.item for one in self.differences if one.item))[:4]


@dataclass(frozen=True)
class Expected:
    """The differences that one rule expects."""

    rule: str
    reason: str
    differences: tuple[Difference, ...]

    @property
    def count(self) -> int:
        """How many they are."""
        return len(self.differences)

    @property
    def digest(self) -> str:
        """The rule in one line: `12 by the rule 3f2a…: kernels differ by design on laptops`."""
        return f"{self.count} by the rule {self.rule}: {self.reason}"


def expected(differences: Sequence[Difference]) -> list[Expected]:
    """What is expected, by its rule; the rule that covers most first."""
    covered = sorted((one for one in differences if one.state == State.EXPECTED), key=lambda one: one.rule)
    found = []
    for rule, members in groupby(covered, key=lambda one: one.rule):
        its = sorted(members, key=lambda one: (one.section, one.item, one.attribute))
        found.append(Expected(rule, its[0].reason, tuple(its)))
    return sorted(found, key=lambda one: (-len(one.differences), one.rule))


def group(comparison: Comparison) -> list[Group]:
    """The comparison's differences by section, the sections with the most severe ones first; see `expected`."""
    paired = {pair.left: pair for pair in comparison.pairs}
    unexpected = (one for one in comparison.differences if one.state != State.EXPECTED)
    by_section = sorted(unexpected, key=lambda one: one.section)
    groups = []
    for section, members in groupby(by_section, key=lambda one: one.section):
        differences = sorted(members, key=lambda one: (-one.severity, one.item, one.attribute))
        pair = paired.get(section)
        groups.append(
            Group(
                section, pair.right if pair else "", pair.why if pair else "", title(differences[0].kind),
                tuple(differences),
            )
        )  # fmt: skip
    return sorted(groups, key=lambda one: (-one.severity, one.section))


def wording(difference: Difference, sides: Sides = LEFT_AND_RIGHT) -> str:
    """One difference in words, and whose it is: `3.4 → 3.7`, `same version 2.1.5, other content`, `only left`."""
    said = _said(replace(difference, state=difference.found) if difference.found else difference, sides)
    if difference.owner:
        said = f"{said} (of {difference.owner.partition(' ')[0]})"
    return f"{said}, {difference.origin}" if difference.origin else said


def _said(difference: Difference, sides: Sides) -> str:
    left, right = text(difference.left), text(difference.right)
    of_value = difference.kind in values.KINDS and difference.attribute == values.VALUE
    if of_value and difference.state not in (State.ONLY_LEFT, State.ONLY_RIGHT):
        return values.wording(difference.state, left, right)
    if difference.attribute in _HASHES and difference.state == State.CHANGED:
        return _content(difference, left, right)
    if difference.state == State.CHANGED and _is_list(difference.left) and _is_list(difference.right):
        return f"{difference.attribute} {_changed_list(difference.left, difference.right, sides)}"
    if difference.state == State.CHANGED:
        label = "" if difference.attribute in ("version", "", difference.item) else f"{difference.attribute} "
        both = _DIGEST.fullmatch(left) and _DIGEST.fullmatch(right)
        return f"{label}{_short(left)} → {_short(right)}" if both else f"{label}{left} → {right}"
    if difference.state == State.INCOMPARABLE and difference.attribute == "content" and not (left and right):
        return f"not comparable: nothing says what {sides.right if left else sides.left} contains (no RECORD)"
    if difference.state in UNKNOWN_STATES:
        told = f" ({left} | {right})" if left or right else ""
        return f"{WORDS[difference.state]}{told}"
    value, only = (left, sides.only_left) if difference.state == State.ONLY_LEFT else (right, sides.only_right)
    if difference.undeclared:
        return f"{'not in the lock' if difference.undeclared == LOCK else 'not declared'}: {value}"
    return f"{only}: {value}" if value and value != "true" else only


def side_by_side(difference: Difference) -> tuple[str, str]:
    """What each of the two sides has, in words: `2.1.5` and `missing`."""
    state = difference.found or difference.state
    left, right = _side(difference, difference.left), _side(difference, difference.right)
    if state == State.ONLY_LEFT:
        return left or "there", MISSING
    if state == State.ONLY_RIGHT:
        return MISSING, right or "there"
    if state in UNKNOWN_STATES:
        return left or "not known", right or "not known"
    if _is_list(difference.left) and _is_list(difference.right):
        ours, theirs = set(difference.left), set(difference.right)
        return text(tuple(sorted(ours - theirs))) or "nothing more", text(
            tuple(sorted(theirs - ours))
        ) or "nothing more"
    if not (left or right):
        return "one value", "another value"  # of which no more than that is told
    return left or "not set", right or "not set"


def _side(difference: Difference, value: Value) -> str:
    told = text(value)
    if difference.attribute in _HASHES or _DIGEST.fullmatch(told):
        return _short(told)
    return "" if value is True and not difference.attribute else told


def _is_list(value: Value) -> TypeGuard[tuple[str, ...]]:
    return isinstance(value, tuple)


def _changed_list(left: tuple[str, ...], right: tuple[str, ...], sides: Sides) -> str:
    """What one side's list has and the other's has not: `only left a, b; only right c`."""
    both = ((sides.only_left, left, right), (sides.only_right, right, left))
    alone = ((word, [one for one in ours if one not in theirs]) for word, ours, theirs in both)
    return "; ".join(f"{word} {', '.join(found)}" for word, found in alone if found)


def _content(difference: Difference, left: str, right: str) -> str:
    short = f"{_short(left)} → {_short(right)}"
    if difference.kind == "container":
        return f"another image: {difference.attribute} {short}"
    what = "metadata, the same code" if difference.attribute == "metadata" else "content"
    told = f"other {what}: {short}"
    return f"same version {difference.version}, {told}" if difference.version else told


def _short(digest: str) -> str:
    return digest.removeprefix("sha256:")[:12]


def text(value: object) -> str:
    """A value as people read it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return ", ".join(value) if isinstance(value, tuple) else str(value)


def severities(differences: Sequence[Difference]) -> str:
    """How many of each severity, the highest first: `1 critical, 3 high`."""
    counts = Counter(one.severity for one in differences if one.state in DRIFT_STATES)
    return ", ".join(f"{counts[one]} {one.word}" for one in sorted(counts, reverse=True))
