"""All lines by all hosts, one byte a cell: how it stands against the majority, and which of the line's values it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from envparity_server.drift.matrix import Line, Part

MOST_VALUES = 31  # of a line that are told apart; the others are OTHER
OTHER = MOST_VALUES


class Shade(IntEnum):
    """What a cell's lower three bits say; in the order of the legend."""

    SAME = 0
    DIFFERS = 1
    ABSENT = 2  # where most have it
    EXTRA = 3  # where most do not have it
    SPLIT = 4  # no majority
    UNREAD = 5
    STALE = 6
    NOWHERE = 7  # the host has no such section

    @property
    def words(self) -> str:
        """What the legend says."""
        return _WORDS[self]


_WORDS = {
    Shade.SAME: "as most have it",
    Shade.DIFFERS: "differs",
    Shade.ABSENT: "absent, where most have it",
    Shade.EXTRA: "extra, where most do not have it",
    Shade.SPLIT: "no majority",
    Shade.UNREAD: "not read",
    Shade.STALE: "stale",
    Shade.NOWHERE: "no such section",
}


@dataclass(frozen=True)
class Picture:
    """Rows of cells, and how many of each host's differ from the majority."""

    rows: tuple[bytes, ...]
    deviations: tuple[int, ...]


def drawn(lines: Sequence[Line], hosts: int, stale: Sequence[int]) -> Picture:
    """The cells of lines over the positions 0 to `hosts`; of a `stale` one nothing else is told."""
    blanks: dict[Part, bytearray] = {}
    rows = []
    deviations = [0] * hosts
    for line in lines:
        if line.part not in blanks:
            blanks[line.part] = _blank(line.part, hosts, stale)
        row = blanks[line.part][:] if line.item else bytearray([Shade.NOWHERE]) * hosts
        is_split = line.majority is None
        for place, stand in enumerate(line.stands):
            if place == 0 and line.item and not is_split:
                continue  # most have it: it is drawn already
            shade = _shade(line, place)
            value = shade | min(place, OTHER) << 3
            for host in stand.voters:
                row[host] = value
            if shade in (Shade.DIFFERS, Shade.ABSENT, Shade.EXTRA):
                for host in stand.voters:
                    deviations[host] += 1
        rows.append(bytes(row))
    return Picture(tuple(rows), tuple(deviations))


def _blank(part: Part, hosts: int, stale: Sequence[int]) -> bytearray:
    """A row of a section in which every host that could tell has what most have."""
    row = bytearray([Shade.NOWHERE]) * hosts
    for shade, places in ((Shade.SAME, part.readers), (Shade.UNREAD, part.unread), (Shade.STALE, stale)):
        for host in places:
            row[host] = shade
    return row


def _shade(line: Line, place: int) -> Shade:
    if line.majority is None:
        return Shade.SPLIT
    if place == 0:
        return Shade.SAME
    if line.stands[place].body is None:
        return Shade.ABSENT
    return Shade.EXTRA if line.stands[0].body is None else Shade.DIFFERS
