"""Several selectors side by side: what each has at every item, and how it stands against one of them, the reference."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from envparity_agent.fingerprint import SPLIT, Attributes, FingerprintLike, SectionLike, Status, position_of
from envparity_server.compare.differences import compare
from envparity_server.compare.model import UNKNOWN_STATES, Difference, State
from envparity_server.compare.pairing import pair
from envparity_server.compare.scope import Scope
from envparity_server.drift.majority import label


class Stands(StrEnum):
    """How a column stands against the reference at one place."""

    SAME = "same"
    CHANGED = "changed"  # also where it has what the reference does not have
    MISSING = "missing"
    SPLIT = "split"  # its hosts do not agree
    UNKNOWN = "unknown"


@dataclass(frozen=True, order=True)
class Place:
    """An item; the section is named by its path in the reference, where that does not have it by its own."""

    section: str
    item: str  # empty for the whole section


@dataclass(frozen=True)
class Cell:
    """What a column has at a place."""

    section: str  # its own path there; empty where it has none
    value: str  # in words; empty where there is none
    state: Stands


class Pivot:
    """The places of several fingerprints, and the cells of those that are asked for."""

    def __init__(self, columns: Sequence[FingerprintLike], reference: int, scope: Scope, only_different: bool) -> None:
        self._columns = columns
        self._reference = columns[reference]
        self._paths = [_paired(self._reference, one) for one in columns]
        self._states = [_compared(self._reference, one, scope) for one in columns]
        found = {place for states in self._states for place in states}
        self.places = sorted(found if only_different else found | set(self._every(scope)))

    def _every(self, scope: Scope) -> Iterator[Place]:
        """The items of the reference's sections, and of those that only other columns have."""
        for column, paths in zip(self._columns, self._paths, strict=True):
            paired = {} if column is self._reference else {own: path for path, own in paths.items()}
            for path, section in column.sections.items():
                if scope.holds(section):
                    yield from (Place(paired.get(path, path), item) for item in section.items)

    def kind(self, place: Place) -> str:
        """The kind of the section that a place is in."""
        found = (_section(one, paths, place) for one, paths in zip(self._columns, self._paths, strict=True))
        return next((section.kind for section in found if section), "")

    def row(self, place: Place) -> list[Cell]:
        """The cells at a place, one a column."""
        return [self._cell(number, place) for number in range(len(self._columns))]

    def _cell(self, number: int, place: Place) -> Cell:
        section = _section(self._columns[number], self._paths[number], place)
        state = self._state(number, place, section)
        if section is None:
            return Cell("", "", state)
        if not place.item:
            return Cell(section.path, f"{section.count} items", state)
        body = body_of(section, place.item)
        if body is not None and SPLIT in body:
            return Cell(section.path, "", Stands.SPLIT)
        return Cell(section.path, "" if body is None else label(body), state)

    def _state(self, number: int, place: Place, section: SectionLike | None) -> Stands:
        """What the comparison said of the place; of a section that is not there or not read, what it said of that."""
        states = self._states[number]
        if self._columns[number] is self._reference:
            there = section is not None and (not place.item or body_of(section, place.item) is not None)
            return Stands.SAME if there else Stands.MISSING
        if place in states:
            return states[place]
        unread = section is None or section.status in (Status.FAILED, Status.ABSENT)
        path = place.section if unread else ""
        while path:
            if Place(path, "") in states:
                return states[Place(path, "")]
            path = path.rpartition("/")[0]
        lacking = self._reference.sections.get(place.section) is None
        return Stands.SAME if lacking or not unread else Stands.UNKNOWN


def body_of(section: SectionLike, item: str) -> Attributes | None:
    """One item of a section; of a large one, only its page is opened."""
    count = len(section.page_hashes)
    return section.page(position_of(item, count)).get(item) if count else None


def _section(column: FingerprintLike, paths: dict[str, str], place: Place) -> SectionLike | None:
    return column.sections.get(paths.get(place.section, place.section))


def _paired(reference: FingerprintLike, column: FingerprintLike) -> dict[str, str]:
    """The reference's path -> the column's: Python environments are paired as in any comparison."""
    both = pair(reference.sections, column.sections) if column is not reference else ()
    return {one.path: other.path for one, other, _ in both if one and other}


def _compared(reference: FingerprintLike, column: FingerprintLike, scope: Scope) -> dict[Place, Stands]:
    """The places at which a column is not the same as the reference, or cannot be told to be."""
    states: dict[Place, Stands] = {}
    for one in compare(reference, column, scope).differences if column is not reference else ():
        place, state = Place(one.section, one.item), _stands(one)
        if states.get(place, Stands.UNKNOWN) == Stands.UNKNOWN:  # what differs in one attribute differs
            states[place] = state
    return states


def _stands(difference: Difference) -> Stands:
    if difference.state in UNKNOWN_STATES:
        return Stands.UNKNOWN
    return Stands.MISSING if difference.state == State.ONLY_LEFT else Stands.CHANGED
