"""Makes fleets out of real environments: rollouts that go together, hotfixes, tools, and one cause of failures.

`environments/NAME-DATE.txt` is what `uv pip compile --exclude-newer DATE` resolved for one list of requirements: an
application over two years. Everything follows from the seed. Nothing here uses what is judged by it.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from packaging.version import Version

from envparity_agent.fingerprint import Fingerprint, Section, Target

WRONG = 0.1  # of the labels
_ENVIRONMENTS = Path(__file__).with_name("environments")
_STACKS = ("api", "data", "django", "ops", "web")
_SYSTEM = {  # each in the order of its versions
    "openssl": ("3.0.11-1~deb12u2", "3.0.14-1~deb12u1", "3.0.15-1~deb12u1"),
    "libpq5": ("15.6-0+deb12u1", "15.8-0+deb12u1"),
    "tzdata": ("2024a-0+deb12u1", "2024b-0+deb12u1"),
    "zlib1g": ("1:1.2.13.dfsg-1",),
}
_FEWEST = 0.15  # of the hosts that a cause holds on, or does not

Item = tuple[str, str]  # section, name
Place = Mapping[Item, str]  # what a host has: item -> version


@dataclass(frozen=True)
class Cause:
    """One way in which an item can be to blame, and the hosts on which it is so."""

    item: Item
    words: str
    hosts: frozenset[int]


@dataclass(frozen=True)
class Fleet:
    """Hosts, what is to blame, and what was told of them."""

    stack: str
    hosts: Sequence[Place]
    cause: Cause
    failed: Sequence[bool]  # as labelled, some of them wrongly
    order: Sequence[int]  # in which the labels came

    def fingerprint(self, host: int) -> Fingerprint:
        """What an agent would report."""
        kinds = {"python/app": ("python", 2), "os-packages": ("os-packages", 2)}
        sections = [Section("python", "python-search", 2)]
        for path, (kind, schema) in kinds.items():
            own = {name: version for (section, name), version in self.hosts[host].items() if section == path}
            more = {"manager": "deb"} if kind == "os-packages" else {}
            items = {name: {"version": version, **more} for name, version in own.items()}
            sections.append(Section(path, kind, schema, items))
        return Fingerprint(
            Target("host", name_of(host)), "2026-11-01T12:00:00+00:00", {one.path: one for one in sections}
        )


def name_of(host: int) -> str:
    """What a host is called."""
    return f"host-{host:02}"


def releases(stack: str) -> list[dict[Item, str]]:
    """What an application resolved to over time, the oldest first."""
    found = []
    for path in sorted(_ENVIRONMENTS.glob(f"{stack}-*.txt")):
        pins = (line.partition("==") for line in path.read_text("utf-8").split())
        found.append({("python/app", name): version for name, _, version in pins})
    return found


def simulate(seed: int) -> Fleet:
    """One fleet of 10 to 40 hosts."""
    chance = random.Random(seed)
    stack = chance.choice(_STACKS)
    hosts = _hosts(chance, stack, chance.randint(10, 40))
    possible = causes(hosts)
    cause = chance.choice(chance.choice(list(possible.values())))
    failed = [(host in cause.hosts) != (chance.random() < WRONG) for host in range(len(hosts))]
    return Fleet(stack, hosts, cause, failed, chance.sample(range(len(hosts)), len(hosts)))


def _hosts(chance: random.Random, stack: str, count: int) -> list[Place]:
    known = releases(stack)
    first = chance.randrange(len(known) - 1)
    old, new = known[first], known[first + 1]
    hosts = [dict(old) for _ in range(count)]
    for bundle, moved in _rollouts(
        chance, sorted(item for item in {**old, **new} if old.get(item) != new.get(item)), count
    ):
        for place in moved:
            for item in bundle:
                _put(hosts[place], item, new.get(item))
    for host in hosts:
        _disturb(chance, host, known)
        for name, versions in _SYSTEM.items():
            host["os-packages", name] = chance.choice(versions)
    _add_tools(chance, hosts)
    return list(hosts)


def _rollouts(chance: random.Random, items: Sequence[Item], count: int) -> Iterator[tuple[Sequence[Item], set[int]]]:
    """What was upgraded together, and on which hosts: many a rollout went where the one before it had gone."""
    waiting = chance.sample(items, len(items))
    before: set[int] = set()
    while waiting:
        size = min(len(waiting), chance.randint(1, 8))
        bundle, waiting = waiting[:size], waiting[size:]
        moved = set(chance.sample(range(count), round(count * chance.uniform(0.2, 0.8))))
        if before and chance.random() < 0.5:
            moved = before ^ set(chance.sample(range(count), chance.randint(1, 3)))
        yield bundle, moved
        before = moved


def _disturb(chance: random.Random, host: dict[Item, str], known: Sequence[Place]) -> None:
    """Some packages were changed by hand, to what they are in any of the releases."""
    for item in chance.sample(sorted(host), chance.randint(0, 4)):
        _put(host, item, chance.choice(known).get(item))


def _add_tools(chance: random.Random, hosts: Sequence[dict[Item, str]]) -> None:
    """Packages of another application were installed on some hosts."""
    other = releases(chance.choice(_STACKS))[-1]
    for item in chance.sample(sorted(other), chance.randint(1, 6)):
        for host in chance.sample(hosts, round(len(hosts) * chance.uniform(0.1, 0.7))):
            host.setdefault(item, other[item])


def _put(host: dict[Item, str], item: Item, version: str | None) -> None:
    if version is None:
        host.pop(item, None)
    else:
        host[item] = version


def causes(hosts: Sequence[Place]) -> dict[Item, list[Cause]]:
    """How each item could be to blame: a version, all from one on, all before it, its presence, its absence."""
    found = {}
    for item in sorted({item for host in hosts for item in host}):
        has = {place: host[item] for place, host in enumerate(hosts) if item in host}
        distinct: dict[frozenset[int], Cause] = {}
        for words, where in _ways(item, has, len(hosts)):
            if _FEWEST * len(hosts) <= len(where) <= (1 - _FEWEST) * len(hosts):
                distinct.setdefault(where, Cause(item, f"{item[1]} {words}", where))
        if distinct:
            found[item] = list(distinct.values())
    return found


def _ways(item: Item, has: Mapping[int, str], count: int) -> Iterator[tuple[str, frozenset[int]]]:
    versions = sorted(set(has.values()), key=lambda one: _key(item, one))
    for version in versions:
        yield version, frozenset(host for host, own in has.items() if own == version)
    for _, version in pairwise(versions):
        newer = frozenset(host for host, own in has.items() if _key(item, own) >= _key(item, version))
        yield f"from {version} on", newer
        yield f"before {version}", frozenset(has) - newer
    yield "is there", frozenset(has)
    yield "is not there", frozenset(range(count)) - frozenset(has)


def _key(item: Item, version: str) -> Version:
    section, name = item
    return Version(str(_SYSTEM[name].index(version)) if section == "os-packages" else version)
