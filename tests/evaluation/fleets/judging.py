"""Holds what `separate` finds in a fleet against an oracle that knows how the fleet was made."""

import math
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

from envparity_server.explain.outcomes import Findings, Run, separate
from envparity_server.explain.trying import trials
from tests.evaluation.fleets.simulating import WRONG, Fleet, causes, name_of

First = Callable[[Fleet, Sequence[int]], bool]  # is the cause's group first, when only these hosts are labelled?


@dataclass(frozen=True)
class Judged:
    """How one fleet went; labels are how many it took until the cause's group was first and stayed it, None: never."""

    fleet: Fleet
    ours: bool
    oracle: bool
    among_three: bool
    significant: bool  # ours, the first suspect
    labels: int | None
    labels_of_oracle: int | None
    labels_by_advice: int | None


def judge(fleet: Fleet) -> Judged:
    """Judge one fleet."""
    everyone = range(len(fleet.hosts))
    found = _separated(fleet, everyone)
    first = found.suspects[:1]
    ours, oracle = is_first(fleet, everyone), is_first_for_oracle(fleet, everyone)
    return Judged(
        fleet,
        ours,
        oracle,
        any(_is_cause(fleet, found, place, everyone) for place in range(min(3, len(found.suspects)))),
        any(one.is_significant for one in first),
        _labels(fleet, fleet.order, is_first),
        _labels(fleet, fleet.order, is_first_for_oracle),
        _labels(fleet, list(_advised(fleet)), is_first),
    )


def is_first(fleet: Fleet, labelled: Collection[int]) -> bool:
    """Whether the first suspect is the one with the cause."""
    found = _separated(fleet, labelled)
    return bool(found.suspects) and _is_cause(fleet, found, 0, labelled)


def _is_cause(fleet: Fleet, found: Findings, place: int, labelled: Collection[int]) -> bool:
    """Whether a suspect holds on exactly the hosts that the cause holds on, and has its item among its own."""
    suspect = found.suspects[place]
    holds = {run.name for place, run in enumerate(found.runs) if suspect.split.holds >> place & 1}
    true = {name_of(host) for host in fleet.cause.hosts if host in labelled}
    return holds == true and fleet.cause.item in {claim.place for claim in suspect.claims}


def _separated(fleet: Fleet, labelled: Collection[int]) -> Findings:
    return separate([
        Run(name_of(host), fleet.failed[host] if host in labelled else None, fleet.fingerprint(host))
        for host in range(len(fleet.hosts))
    ])  # fmt: skip


def is_first_for_oracle(fleet: Fleet, labelled: Collection[int]) -> bool:
    """The same by the exact posterior under the very way in which the fleet was made."""
    seen = frozenset(labelled)
    posterior: dict[frozenset[int], float] = {}
    possible = causes(fleet.hosts)
    for ways in possible.values():
        for one in ways:
            wrong = sum((host in one.hosts) != fleet.failed[host] for host in seen)
            weight = WRONG**wrong * (1 - WRONG) ** (len(seen) - wrong) / len(ways) / len(possible)
            posterior[one.hosts & seen] = posterior.get(one.hosts & seen, 0) + weight
    for none in (frozenset[int](), seen):  # what is so on all of the hosts, or on none, separates nothing
        posterior.pop(none, None)
    best = max(posterior.values(), default=0)
    first = min((sorted(group) for group, weight in posterior.items() if math.isclose(weight, best)), default=[])
    failing = sum(fleet.failed[host] for host in seen)
    return 0 < failing < len(seen) and frozenset(first) == fleet.cause.hosts & seen


def _labels(fleet: Fleet, order: Sequence[int], first: First) -> int | None:
    """How many labels it took in an order."""
    for count in range(len(order), 0, -1):
        if not first(fleet, order[:count]):
            return count + 1 if count < len(order) else None
    return 1


def _advised(fleet: Fleet) -> Iterator[int]:
    """The hosts in the order that the advice would have them labelled, from one that fails and one that passes on."""
    names = {name_of(host): host for host in range(len(fleet.hosts))}
    done: list[int] = []
    while len(done) < len(fleet.hosts):
        advice = [one for one in trials(_separated(fleet, done), len(fleet.hosts)) if not one.changed]
        left = (host for host in fleet.order if host not in done)
        done.append(names[advice[0].run] if advice else next(left))
        yield done[-1]
