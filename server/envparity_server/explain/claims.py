"""What may tell runs apart: for each item that is not the same in all, claims such as `urllib3 2.2.1 or newer`.

A claim holds in some runs and not in others; where a section could not be read nobody knows. Who has which value is
counted as for a majority: pages that all runs share are never opened.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import reduce
from itertools import pairwise
from operator import or_
from typing import NamedTuple

from envparity_agent.fingerprint import Attributes, FingerprintLike, SectionLike, Status, Value
from envparity_agent.kinds import INTERPRETER_ITEM
from envparity_server.compare.covering import covering, is_complete, is_known_absence
from envparity_server.compare.order import place_of_version
from envparity_server.drift.tally import compared, pages, tallied

_FIRST = ("version", "value")  # what of an item a person looks at first
_NAMES = 3  # that a sentence tells
_LONGEST = 40  # characters of a value that are shown


class Relation(StrEnum):
    """What a claim says of an item."""

    IS = "is"
    FROM = "from"  # that version or a newer one
    BEFORE = "before"  # an older version
    THERE = "there"
    MISSING = "missing"


class Claim(NamedTuple):
    """Something that is so in a run or is not; an empty item stands for the whole section."""

    section: str
    item: str
    attribute: str
    relation: Relation
    value: Value

    @property
    def place(self) -> tuple[str, str]:
        """The item that it is about: claims about one item are one suspect in different words."""
        return self.section, self.item

    @property
    def words(self) -> str:
        """The claim as a person says it, without the section."""
        name = {INTERPRETER_ITEM: "Python", "": self.section}.get(self.item, self.item)
        if self.relation in (Relation.THERE, Relation.MISSING):
            return f"{name} is {'there' if self.relation == Relation.THERE else 'not there'}"
        if self.attribute not in _FIRST:
            name = f"{name} {self.attribute}"
        told = _shown(self.value)
        if self.relation == Relation.FROM:
            return f"{name} {told} or newer"
        return f"{name} older than {told}" if self.relation == Relation.BEFORE else f"{name} {told}"


def _shown(value: Value) -> str:
    text = (
        ", ".join(value) if isinstance(value, tuple) else str(value).lower() if isinstance(value, bool) else str(value)
    )
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


class Split(NamedTuple):
    """In which runs a claim holds, and of which that is known: sets of positions, as bits."""

    holds: int
    known: int


@dataclass(frozen=True)
class _Item:
    """One item over all runs: its bodies with who has them, and who is known not to have it."""

    section: str
    kind: str
    name: str
    bodies: Sequence[tuple[Attributes, int]]
    lacking: int

    @property
    def having(self) -> int:
        return _union(bits for _, bits in self.bodies)


def claims(runs: Sequence[FingerprintLike]) -> dict[Claim, Split]:
    """Every claim that holds in some of the runs and not in others, in the order of sections and items."""
    found: dict[Claim, Split] = {}
    for path in sorted({path for run in runs for path in run.sections}):
        for item in _items(runs, path):
            for claim, holds in _claims_of(item):
                found.setdefault(claim, Split(holds, item.having | item.lacking))
    return {claim: split for claim, split in found.items() if split.holds not in (0, split.known)}


def _items(runs: Sequence[FingerprintLike], path: str) -> Iterator[_Item]:
    """What of a section is not the same in all runs: the section itself, and its items."""
    readable: list[tuple[int, SectionLike]] = []
    lacking = partial = 0
    for place, run in enumerate(runs):
        section = run.sections.get(path)
        if section is None or is_known_absence(section):
            cover = section or covering(run, path)
            lacking |= (cover is not None and is_complete(cover)) << place
        elif section.status in (Status.OK, Status.PARTIAL):
            readable.append((place, section))
            partial |= (section.status == Status.PARTIAL) << place
    if not readable:
        return
    kind = readable[0][1].kind
    if lacking:
        yield _Item(path, kind, "", [({}, _union(1 << place for place, _ in readable))], lacking)
    names = compared(section for _, section in readable)
    for alternatives in pages(readable, shared=False):
        for name, stands in tallied(alternatives, names):
            bodies = [
                (_kept(one.body, names), _union(1 << place for place in one.voters))
                for one in stands
                if one.body is not None
            ]
            without = _union(1 << place for one in stands if one.body is None for place in one.voters)
            yield _Item(path, kind, name, bodies, lacking | (without & ~partial))


def _kept(body: Attributes, names: frozenset[str] | None) -> Attributes:
    """What is compared of an item, and what its version is ordered by."""
    return {name: value for name, value in body.items() if names is None or name in names or name == "manager"}


def _claims_of(item: _Item) -> Iterator[tuple[Claim, int]]:
    if item.lacking:
        yield Claim(item.section, item.name, "", Relation.THERE, None), item.having
        yield Claim(item.section, item.name, "", Relation.MISSING, None), item.lacking
    keys = {body.get("key") for body, _ in item.bodies}
    hidden = {"key", "manager"} | ({"hmac"} if len(keys) > 1 else set())  # under unlike keys hashes say nothing
    names = {name for body, _ in item.bodies for name in body} - hidden
    for name in sorted(names, key=lambda one: (one not in _FIRST, one)):
        by_value: dict[tuple[str, Value], int] = {}  # with the type: true is not 1
        for body, bits in item.bodies:
            value = body.get(name)
            by_value[type(value).__name__, value] = by_value.get((type(value).__name__, value), 0) | bits
        if len(by_value) > 1:
            yield from (
                (Claim(item.section, item.name, name, Relation.IS, value), bits)
                for (_, value), bits in sorted(by_value.items(), key=lambda one: (one[0][0], str(one[0][1])))
                if value is not None
            )
    yield from _ordered(item)


def _ordered(item: _Item) -> Iterator[tuple[Claim, int]]:
    """Claims that a version is at least, or less than, one of those that are there, where all of them have an order."""
    placed = [(place_of_version(item.kind, body), str(body.get("version")), bits) for body, bits in item.bodies]
    managers = {body.get("manager") for body, _ in item.bodies}
    if len(managers) > 1 or any(place is None for place, _, _ in placed):
        return
    placed.sort(key=lambda one: (one[0], one[1]))
    steps = [0, *(index for index, (one, other) in enumerate(pairwise(placed), 1) if one[0] != other[0])]
    for index in steps[1:]:
        version = placed[index][1]
        older, newer = (_union(bits for _, _, bits in part) for part in (placed[:index], placed[index:]))
        yield Claim(item.section, item.name, "version", Relation.FROM, version), newer
        yield Claim(item.section, item.name, "version", Relation.BEFORE, version), older


def listed(words: Sequence[str], last: str = "or") -> str:
    """Some words as a part of a sentence, of many only the first and how many there are."""
    shown = [*words[:_NAMES], f"{len(words) - _NAMES} more"] if len(words) > _NAMES + 1 else list(words)
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} {last} {shown[-1]}"


def _union(bits: Iterator[int]) -> int:
    return reduce(or_, bits, 0)


def preferred(alike: Iterable[Claim]) -> Claim:
    """The claim that says it best, of some about one item that hold in the same runs: the plainest of the version."""
    order = list(Relation)

    def plainness(one: Claim) -> tuple[bool, int, str, str]:
        return one.attribute not in (*_FIRST, ""), order.index(one.relation), one.attribute, str(one.value)

    return min(alike, key=plainness)
