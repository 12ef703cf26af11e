"""Many hosts item by item: who has what at each, and how columns of hosts stand against a reference.

A line is an item of a section by its path: `idna` of `python/shop` is another line than `idna` of `python/home/ada`.
Pages that hosts share are counted once; where nothing differs, nothing is opened.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cached_property

from envparity_agent.fingerprint import Attributes, Fingerprint, FingerprintLike, Section, SectionLike, Target
from envparity_server.compare.covering import is_complete
from envparity_server.compare.differences import compare
from envparity_server.compare.model import UNKNOWN_STATES
from envparity_server.drift.majority import label, lacking, shapes
from envparity_server.drift.pivot import Stands
from envparity_server.drift.tally import Stand, Voters, compared, pages, projected, tallied

MAJORITY = -1  # the reference that is no column: what more than half of all hosts have
ABSENT = "absent"
_THERE: dict[str, bool] = {"there": True}
_ALONE = Target("host", "")


@dataclass(frozen=True, eq=False)
class Part:
    """A section over all hosts, by their positions."""

    path: str
    kind: str
    schema: int
    names: frozenset[str] | None  # the attributes that are compared
    readers: Voters  # it could be read whole there
    unread: Voters
    lacking: Voters  # known not to have it


@dataclass(frozen=True, eq=False)
class Line:
    """An item, and who has which value of it; an empty item is the section itself, which is there or is not."""

    part: Part
    item: str
    stands: tuple[Stand, ...]  # the one that most have first

    @property
    def voters(self) -> int:
        """How many hosts could tell."""
        return sum(len(one.voters) for one in self.stands)

    @property
    def majority(self) -> Stand | None:
        """What more than half of them have."""
        return self.stands[0] if 2 * len(self.stands[0].voters) > self.voters else None

    @property
    def deviating(self) -> int:
        """How many have not what most have."""
        return self.voters - len(self.stands[0].voters)

    @cached_property
    def words(self) -> tuple[str, ...]:
        """Each stand in words that tell it from the others: its version, else what else differs."""
        if not self.item:
            return tuple("there" if one.body else ABSENT for one in self.stands)
        bodies = [projected(one.body, self.part.names) for one in self.stands]
        there = [body for body in bodies if body is not None]
        if len({str(body.get("version")) for body in there}) == len(there):
            return tuple(ABSENT if body is None else label(body) for body in bodies)
        moving = {name for body in there for name in body if any(one.get(name) != body[name] for one in there)}
        return tuple(_told(body, moving | {"version"}) for body in bodies)


def _told(body: Attributes | None, names: Set[str]) -> str:
    """An item by some of its attributes, by all where it has none of these."""
    if body is None:
        return ABSENT
    own = {name: value for name, value in body.items() if name in names}
    return label(own or body, whole=len(own) > 1)


@dataclass(frozen=True)
class Cell:
    """What a column has at a line, and how it stands against the reference."""

    state: Stands
    value: str  # empty where its hosts do not agree, or none could tell
    hosts: int  # that have the value
    voters: int  # that could tell
    values: tuple[tuple[str, int], ...]  # all that its hosts have, with how many have it


Counting = Callable[[Sequence[tuple[int, SectionLike]], bool, str], Sequence[tuple[str, tuple[Stand, ...]]]]


def counted(
    sections: Sequence[tuple[int, SectionLike]], everything: bool, only: str
) -> Sequence[tuple[str, tuple[Stand, ...]]]:
    """The items of a path's sections, by position, on which they differ, or all of them; each with who has what."""
    names = compared(one for _, one in sections)
    found = [
        (item, tuple(stands))
        for alternatives in pages(sections, only, shared=everything)
        for item, stands in tallied(alternatives, names)
        if (everything or len(stands) > 1) and only in ("", item)
    ]
    return sorted(found, key=lambda one: one[0])


def lines(
    hosts: Sequence[FingerprintLike],
    holds: Callable[[SectionLike], bool],
    everything: bool = False,
    only: str = "",
    counting: Counting = counted,
) -> Iterator[Line]:
    """The lines on which hosts differ, or all; by section and item. Of `only` one item no other page is looked at.

    `counting` may remember what `counted` says.
    """
    alike = shapes(hosts)
    for path in sorted({path for one in hosts for path, section in one.sections.items() if holds(section)}):
        part, good = _part(path, hosts, alike)
        if part.lacking and not only:
            there = Stand(_THERE, sorted([*part.readers, *part.unread]))
            both = sorted((there, Stand(None, part.lacking)), key=lambda one: -len(one.voters))
            yield Line(part, "", tuple(both))
        for item, stands in counting(good, everything, only) if good else ():
            yield Line(part, item, stands)


def _part(
    path: str, hosts: Sequence[FingerprintLike], alike: Sequence[int]
) -> tuple[Part, list[tuple[int, SectionLike]]]:
    having = [(place, one.sections[path]) for place, one in enumerate(hosts) if path in one.sections]
    good = [(place, one) for place, one in having if is_complete(one)]
    model = (good or having)[0][1]
    read = [place for place, _ in good]
    without = lacking(path, hosts, alike) if len(having) < len(hosts) else []
    unread = sorted({place for place, _ in having}.difference(read))
    names = compared(one for _, one in good) if good else None
    return Part(path, model.kind, model.schema, names, read, unread, without), good


class Columns:
    """Hosts in columns, each host in one or in none, and a reference: one of the columns, or MAJORITY."""

    def __init__(self, columns: Sequence[Voters], reference: int = MAJORITY) -> None:
        self.reference = reference
        self._count = len(columns)
        self._column = {host: number for number, hosts in enumerate(columns) for host in hosts}
        self._tellers: dict[Part, Mapping[int, int]] = {}

    def differing(self, line: Line) -> int:
        """How many columns have something else than the reference, or do not agree in themselves."""
        tellers, others = self._tellers_of(line), self._others(line)
        held = self._held(line, tellers, others)
        told = [_agreed(_counts(tellers[number], own)) for number, own in others.items()]
        alike = len(tellers) - len(others)  # columns all of whose hosts have the first stand
        return sum(place is None or (held is not None and place != held) for place in told) + (alike if held else 0)

    def row(self, line: Line) -> list[Cell]:
        """The cells of a line."""
        tellers, others = self._tellers_of(line), self._others(line)
        held = self._held(line, tellers, others)
        unread = self._by_column(line.part.unread) if line.item else {}
        without = self._by_column(line.part.lacking) if line.item else {}
        cells = []
        for number in range(self._count):
            if number not in tellers:
                state = Stands.MISSING if number in without and number not in unread else Stands.UNKNOWN
                cells.append(Cell(state, "", 0, 0, ()))
                continue
            counts = _counts(tellers[number], others.get(number, {}))
            place = _agreed(counts)
            told = tuple((line.words[one], counts[one]) for one in sorted(counts, key=lambda one: -counts[one]))
            state = Stands.SPLIT if place is None else self._stands(line, held, place)
            value, hosts = told[0] if place is not None else ("", 0)
            cells.append(Cell(state, value, hosts, tellers[number], told))
        return cells

    def _stands(self, line: Line, held: int | None, place: int) -> Stands:
        if held is None:
            return Stands.UNKNOWN
        return Stands.SAME if place == held else standing(line, held, place)

    def _others(self, line: Line) -> dict[int, dict[int, int]]:
        """Column -> stand -> how many of its hosts have it; the first stand, which most have, is what is left over."""
        found: dict[int, dict[int, int]] = {}
        for place, stand in enumerate(line.stands[1:], 1):
            for number, hosts in self._by_column(stand.voters).items():
                found.setdefault(number, {})[place] = hosts
        return found

    def _tellers_of(self, line: Line) -> Mapping[int, int]:
        """Column -> how many of its hosts could tell."""
        if not line.item:
            return self._by_column([voter for stand in line.stands for voter in stand.voters])
        if line.part not in self._tellers:
            self._tellers[line.part] = self._by_column(line.part.readers)
        return self._tellers[line.part]

    def _by_column(self, hosts: Voters) -> Mapping[int, int]:
        return Counter([self._column[host] for host in hosts if host in self._column])

    def _held(self, line: Line, tellers: Mapping[int, int], others: Mapping[int, Mapping[int, int]]) -> int | None:
        """Which stand the reference has; None where most of it have none alike."""
        if self.reference == MAJORITY:
            return 0 if line.majority else None
        if self.reference not in tellers:
            return None
        return _agreed(_counts(tellers[self.reference], others.get(self.reference, {})))


def _counts(tellers: int, others: Mapping[int, int]) -> Mapping[int, int]:
    first = tellers - sum(others.values())
    return {0: first, **others} if first else others


def _agreed(counts: Mapping[int, int]) -> int | None:
    """The stand that more than half of some hosts have."""
    place = max(counts, key=lambda one: counts[one])
    return place if 2 * counts[place] > sum(counts.values()) else None


def standing(line: Line, held: int, place: int) -> Stands:
    """How one stand of a line is to another, as a comparison tells it: a digest of another kind is no difference."""
    reference, body = (line.stands[one].body for one in (held, place))
    if body is None:
        return Stands.MISSING
    if reference is None or not line.item:
        return Stands.CHANGED
    part = line.part
    sides = [Section(part.path, part.kind, part.schema, {line.item: one}) for one in (reference, body)]
    left, right = (Fingerprint(_ALONE, "", {part.path: one}) for one in sides)
    found = compare(left, right).differences
    if not found:
        return Stands.SAME
    return Stands.UNKNOWN if all(one.state in UNKNOWN_STATES for one in found) else Stands.CHANGED
