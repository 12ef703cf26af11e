"""What a field of a selector offers; and what can be compared already when there is little."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from sqlalchemy import Connection

from envparity_agent.fingerprint import SectionLike
from envparity_server.dashboard.pages import compare_address
from envparity_server.dashboard.stages import in_order, pairs
from envparity_server.storage import content, history
from envparity_server.storage.applications import Application
from envparity_server.storage.baselines import Baseline
from envparity_server.storage.hosts import Host

_MOST = 6
_MOST_CHOICES = 500  # of each kind that a field offers
FEW_HOSTS = 5  # with so few, a page says what to compare first


@dataclass(frozen=True)
class Suggestion:
    """A comparison that would say something."""

    title: str
    left: str
    right: str


def choices(hosts: Sequence[Host], baselines: Sequence[Baseline] = ()) -> list[str]:
    """Selectors to pick from: environments, baselines, then hosts."""
    environments = dict.fromkeys(f"env:{one.environment}" for one in hosts)
    pinned = (f"baseline:{one.name}" for one in baselines[:_MOST_CHOICES])
    return [*environments, *pinned, *(f"host:{one.name}" for one in hosts[:_MOST_CHOICES])]


def application_address(one: Application) -> str:
    """The comparison of an application in the first environment that has it and in the last, as changes go through."""
    first, *others = in_order(one.environments)
    return compare_address(f"env:{first}", f"env:{others[-1]}" if others else "", app=one.name)


def suggest(connection: Connection, hosts: Sequence[Host], now: datetime) -> list[Suggestion]:
    """Comparisons to begin with."""
    reported = [one for one in hosts if one.root]
    found = [*_environments(reported), *_neighbours(reported)]
    for one in reported[:1]:
        present = history.at(connection, [one.id])[one.id]
        found += _inside(one, content.stored(connection, {one.id: present.sections})[one.id])
        if history.at(connection, [one.id], now - timedelta(days=1)):
            found.append(Suggestion(f"{one.name}: yesterday and now", f"host:{one.id}@yesterday", f"host:{one.id}"))
    return found[:_MOST]


def _environments(hosts: Sequence[Host]) -> list[Suggestion]:
    names = in_order({one.environment for one in hosts})
    return [Suggestion(f"{one} against {other}", f"env:{one}", f"env:{other}") for one, other in pairs(names)]


def _neighbours(hosts: Sequence[Host]) -> list[Suggestion]:
    return [
        Suggestion(f"{one.name} against {other.name}, both {one.environment}", f"host:{one.id}", f"host:{other.id}")
        for one, other in pairwise(hosts)
        if one.environment == other.environment
    ][:2]


def _inside(host: Host, sections: Mapping[str, SectionLike]) -> list[Suggestion]:
    """Two Python environments, or two containers, of one host: those with the most in them."""
    found = []
    for kind, words in (("python", "Python environments"), ("container", "containers")):
        largest = sorted((one for one in sections.values() if one.kind == kind), key=lambda one: -one.count)[:2]
        if len(largest) == 2:
            names = " and ".join(one.path.partition("/")[2] for one in largest)
            sides = [f"host:{host.id}#{one.path}" for one in largest]
            found.append(Suggestion(f"two {words} of {host.name}: {names}", *sides))
    return found
