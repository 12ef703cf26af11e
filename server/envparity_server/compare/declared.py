"""Holds what a file declares against what is installed: what of it applies there, and whether that is so."""

from collections.abc import Iterator
from dataclasses import dataclass

from envparity_agent.fingerprint import SPLIT, Attributes, FingerprintLike, Items, Reason, SectionLike, Status, Value
from envparity_server.compare.applied import Applied, apply
from envparity_server.compare.covering import is_complete
from envparity_server.compare.model import Difference, Distance, State, Unexamined
from envparity_server.compare.python import compare_declared, compare_declared_system

DECLARED = "declared"
INSTALLED = frozenset({"python", "os-packages"})
# attributes of a container's configuration that the image decides, or who starts it: a file may leave them open
_SAID_BY_OTHERS = frozenset({"exposed", "published", "source"})


@dataclass(frozen=True)
class Held:
    """What holding the two against each other gave."""

    differences: tuple[Difference, ...]
    same: int
    unexamined: tuple[Unexamined, ...]


def declares_part(section: SectionLike) -> bool:
    """Whether a section is of a file that is based on something which is not in it: a Dockerfile's base image."""
    return section.status == Status.PARTIAL and Reason.DECLARED in section.reasons


def undeclared(section: SectionLike, number: int, beyond: bool) -> tuple[Unexamined, ...]:
    """That so many items of the other side are not compared; `beyond` says that nobody asked about them."""
    why = f"the file declares only a part: {number} more of the other side are not in it"
    return (Unexamined(section.path, why, beyond),) if number else ()


def narrowed(ours: Items, theirs: Items, declared_first: bool) -> tuple[Items, Items, int]:
    """Of the side that a file describes only what the file says, and how many items it says nothing of."""
    declared, other = (ours, theirs) if declared_first else (theirs, ours)
    kept = {
        item: {name: value for name, value in body.items() if name not in _SAID_BY_OTHERS or name in declared[item]}
        for item, body in other.items()
        if item in declared
    }
    return (declared, kept, len(other) - len(kept)) if declared_first else (kept, declared, len(other) - len(kept))


def is_held(left: SectionLike, right: SectionLike) -> bool:
    """Whether one of two sections declares what the other one has installed."""
    return (left.kind == DECLARED and right.kind in INSTALLED) or (right.kind == DECLARED and left.kind in INSTALLED)


def hold(left: SectionLike, right: SectionLike, sides: tuple[FingerprintLike, FingerprintLike]) -> Held:
    """Hold what one section declares against what the other one, of the fingerprint on its side, has installed."""
    declared_first = left.kind == DECLARED
    declared, installed = (left, right) if declared_first else (right, left)
    applied = apply(declared, installed, sides[1 if declared_first else 0])
    found: list[Difference] = []
    same = more = 0
    for item in sorted(applied.items.keys() | installed.items.keys()):
        asked, there = applied.items.get(item), installed.items.get(item)
        if item.startswith("@") and (asked is None or there is None):
            continue  # most files say nothing about the interpreter
        if asked is None and declares_part(declared):
            more += 1
            continue
        one = _One(item, asked, there, declared, installed, applied, declared_first)
        differences = tuple(one.differences())
        found += differences
        same += not differences
    return Held(tuple(found), same, undeclared(declared, more, beyond=declared_first))


@dataclass(frozen=True)
class _One:
    """One item: what is asked for, and what is there."""

    item: str
    asked: Attributes | None
    there: Attributes | None
    declared: SectionLike
    installed: SectionLike
    applied: Applied
    declared_first: bool

    def differences(self) -> Iterator[Difference]:
        """What differs; nothing where what is there is what is asked for."""
        if any(SPLIT in (body or {}) for body in (self.asked, self.there)):
            yield self._difference("", State.UNKNOWN, _shown(self.asked), _shown(self.there))
        elif self.asked is None:
            state = State.ONLY_RIGHT if self.declared_first else State.ONLY_LEFT
            unread = not is_complete(self.declared)
            yield self._difference(
                "version", State.UNKNOWN if unread else state, None, _shown(self.there), undeclared=self.applied.form
            )
        elif self.there is None:
            state = State.ONLY_LEFT if self.declared_first else State.ONLY_RIGHT
            unsure = not is_complete(self.installed) or self.item in self.applied.unsure
            yield self._difference("version", State.UNKNOWN if unsure else state, _shown(self.asked), None)
        else:
            yield from self._both(self.asked, self.there)

    def _both(self, asked: Attributes, there: Attributes) -> Iterator[Difference]:
        compare = compare_declared_system if self.installed.kind == "os-packages" else compare_declared
        for attribute, state, distance in compare(asked, there):
            other = "version" if attribute == "specifier" else attribute
            yield self._difference(
                attribute,
                State.UNKNOWN if self.item in self.applied.unsure else state,
                asked.get(attribute),
                there.get(other),
                distance,
            )

    def _difference(
        self,
        attribute: str,
        state: State,
        asked: Value,
        there: Value,
        distance: Distance | None = None,
        undeclared: str = "",
    ) -> Difference:
        left, right = (asked, there) if self.declared_first else (there, asked)
        path = self.declared.path if self.declared_first else self.installed.path
        return Difference(
            path, self.installed.kind, self.item, attribute, state, left, right, distance, undeclared=undeclared
        )


def _shown(body: Attributes | None) -> Value:
    """What is said of an item that only one side has: its version, its range, or that it is there."""
    if body is None:
        return None
    return body.get(SPLIT) or body.get("version") or body.get("specifier") or True
