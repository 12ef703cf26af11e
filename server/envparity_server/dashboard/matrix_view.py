"""Which hosts stand in which column of a matrix, and which lines it has."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from envparity_agent.errors import UsageError
from envparity_server.api.pivots import MOST_COLUMNS
from envparity_server.compare.selectors import parse_selector
from envparity_server.dashboard.addresses import permalink
from envparity_server.dashboard.fleet import KINDS, PACKAGES, Fleet, fleet_of
from envparity_server.dashboard.stages import in_order
from envparity_server.drift.matrix import MAJORITY, Columns, Line
from envparity_server.selection import chosen
from envparity_server.storage import hosts
from envparity_server.storage.actors import Environments
from envparity_server.storage.hosts import Host


@dataclass(frozen=True)
class Wanted:
    """What a matrix is asked for."""

    of: str = ""  # a selector, whose hosts are grouped; empty: a column for each environment
    against: str = ""  # an environment; empty: the majority
    kind: str = PACKAGES
    q: str = ""
    everything: bool = False

    def address(self, path: str = "/matrix", page: int = 1, **changed: str) -> str:
        """The permalink of what is shown."""
        told = {
            "of": self.of, "against": self.against, "kind": "" if self.kind == PACKAGES else self.kind, "q": self.q,
            "everything": "true" if self.everything else "", **changed,
        }  # fmt: skip
        return permalink(path, page, **told)

    def holds(self, line: Line) -> bool:
        """Whether a line has every word of the text."""
        haystack = f"{line.part.path} {line.item}".lower()
        return all(word in haystack for word in self.q.lower().split())


@dataclass(frozen=True)
class Column:
    """Hosts that are told as one."""

    name: str
    selector: str  # of an environment; empty of a group of identical hosts
    members: tuple[tuple[int, Host], ...]  # each with its position in the fleet

    @property
    def hosts(self) -> tuple[Host, ...]:
        """Its hosts."""
        return tuple(host for _, host in self.members)


@dataclass(frozen=True)
class Matrix:
    """Columns and lines, those first that set the columns apart, then those on which the most hosts deviate."""

    fleet: Fleet
    columns: tuple[Column, ...]
    more_columns: int  # groups that are not shown
    environments: tuple[str, ...]  # that may be the reference
    lines: tuple[Line, ...]
    cells: Columns


def matrix_of(connection: Connection, wanted: Wanted, seen: Environments, now: datetime) -> Matrix:
    """The matrix that is asked for; raises UsageError, CannotTell for what is no selector, host or environment."""
    selector = parse_selector(wanted.of, now) if wanted.of else None
    if selector and (selector.kind == "baseline" or selector.moment or selector.section):
        raise UsageError(f"{wanted.of!r} names no hosts as they are now", "a selector here is env:prod or role=web")
    asked = chosen(connection, selector, seen) if selector else hosts.all_hosts(connection, seen)
    fleet = fleet_of(connection, asked, KINDS[wanted.kind][0], now)
    columns = _groups(fleet) if selector else _environments(fleet)
    shown = columns[:MOST_COLUMNS]
    names = [] if selector else [one.name for one in shown]
    if wanted.against and wanted.against not in names:
        raise UsageError(
            f"{wanted.against} is none of the columns", f"columns: {', '.join(names) or 'groups of hosts'}"
        )
    reference = names.index(wanted.against) if wanted.against else MAJORITY
    cells = Columns([[place for place, _ in one.members] for one in shown], reference)
    found = [one for one in fleet.lines(wanted.everything) if wanted.holds(one)]
    found.sort(key=lambda one: (-cells.differing(one), -one.deviating))
    return Matrix(fleet, tuple(shown), len(columns) - len(shown), tuple(names), tuple(found), cells)


def _environments(fleet: Fleet) -> list[Column]:
    members: dict[str, list[tuple[int, Host]]] = {}
    for place, host in enumerate(fleet.hosts):
        members.setdefault(host.environment, []).append((place, host))
    return [Column(name, f"env:{name}", tuple(members[name])) for name in in_order(members)]


def _groups(fleet: Fleet) -> list[Column]:
    """Hosts that have all of it alike, the largest group first."""
    members: dict[frozenset[tuple[str, str]], list[tuple[int, Host]]] = {}
    for place, (host, one) in enumerate(zip(fleet.hosts, fleet.fingerprints, strict=True)):
        alike = frozenset((path, section.hash) for path, section in one.sections.items() if fleet.holds(section))
        members.setdefault(alike, []).append((place, host))
    groups = sorted(members.values(), key=lambda of: (-len(of), of[0][1].name))
    return [Column(_named([host for _, host in of]), "", tuple(of)) for of in groups]


def _named(group: Sequence[Host]) -> str:
    more = len(group) - 1
    return group[0].name + (f" and {more} more" if more else "")
