"""Items over all their sections, as the pages Packages and Package tell them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from envparity_agent.fingerprint import Attributes
from envparity_server.compare.order import place_of_version
from envparity_server.dashboard.addresses import package_address
from envparity_server.drift.matrix import ABSENT, Line
from envparity_server.storage.hosts import Host
from envparity_server.storage.items import value_of


@dataclass(frozen=True)
class Package:
    """An item over all sections of a kind."""

    kind: str
    item: str
    lines: tuple[Line, ...]

    @property
    def deviating(self) -> int:
        """How many hosts have not what most have, counted in each section."""
        return sum(one.deviating for one in self.lines)

    @cached_property
    def values(self) -> list[str]:
        """What is in use of it."""
        return sorted({word for one in self.lines for word in one.words} - {ABSENT})

    @property
    def hosts(self) -> int:
        """How many have it."""
        holders = [stand.voters for one in self.lines for stand in one.stands if stand.body is not None]
        return len(holders[0]) if len(holders) == 1 else len(set().union(*holders))

    @property
    def address(self) -> str:
        """Its page."""
        return package_address(self.lines[0].part.path if len(self.lines) == 1 else self.kind, self.item)


def packages_of(found: Iterable[Line]) -> list[Package]:
    """The items of lines; first those on which the most hosts deviate."""
    by_item: dict[tuple[str, str], list[Line]] = {}
    for one in found:
        if one.item:
            by_item.setdefault((one.part.kind, one.item), []).append(one)
    packages = [Package(kind, item, tuple(of)) for (kind, item), of in by_item.items()]
    return sorted(packages, key=lambda one: (-one.deviating, one.item, one.kind))


@dataclass(frozen=True)
class Version:
    """A value that is in use, and the hosts that have it; one with other content is another."""

    words: str
    value: str  # as the index has it
    hosts: Sequence[Host]
    sections: int

    def of(self, environment: str) -> int:
        """How many hosts of an environment have it."""
        return sum(one.environment == environment for one in self.hosts)


def versions_of(found: Sequence[Line], hosts: Sequence[Host]) -> list[Version]:
    """The values of an item over all sections, the newest first where their order is known."""
    holders: dict[str, set[int]] = {}
    sections: dict[str, int] = {}
    bodies: dict[str, tuple[str, Attributes]] = {}
    for line in found:
        for words, stand in zip(line.words, line.stands, strict=True):
            if stand.body is not None:
                holders.setdefault(words, set()).update(stand.voters)
                sections[words] = sections.get(words, 0) + 1
                bodies.setdefault(words, (line.part.kind, stand.body))
    told = [
        Version(words, value_of(body) or "", [hosts[place] for place in sorted(holders[words])], sections[words])
        for words, (_, body) in bodies.items()
    ]
    places = {words: place for words, of in bodies.items() if (place := place_of_version(*of)) is not None}
    if len(places) < len(told):
        return sorted(told, key=lambda one: (-len(one.hosts), one.words))
    return sorted(told, key=lambda one: places[one.words], reverse=True)


def standings_of(found: Sequence[Line], hosts: Sequence[Host]) -> Mapping[tuple[str, str], str]:
    """How each host stands in each section: `as most`, `deviates`, or `split`, by host id and path."""
    return {
        (hosts[voter].id, line.part.path): "split" if line.majority is None else "as most" if place == 0 else "deviates"
        for line in found
        for place, stand in enumerate(line.stands)
        for voter in stand.voters
    }
