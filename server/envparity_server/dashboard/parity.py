"""Arranges what the page Overview shows: environments in their order, their pairs, and their parity day by day."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise

from envparity_server.storage.hosts import Host
from envparity_server.storage.standing import Lasting, Open

DAYS = 30
_STAGES = ("dev", "test", "qa", "int", "stag", "uat", "pre", "prod")  # as people promote; each begins several names


@dataclass(frozen=True)
class Standing:
    """An environment with its hosts by state, and its open drifts."""

    name: str
    counts: Mapping[str, int]  # `in parity`, `in drift`, and the states of hosts that tell nothing
    drifts: Open | None

    @property
    def hosts(self) -> int:
        """How many hosts are told of."""
        return sum(self.counts.values())


@dataclass(frozen=True)
class Share:
    """How many of the hosts that there were on a day had no open drift."""

    alike: int
    hosts: int

    @property
    def percent(self) -> float:
        """The same as one figure."""
        return 100 * self.alike / self.hosts


def in_order(environments: Iterable[str]) -> list[str]:
    """Environments as changes go through them: those of one family (`demo-dev`, `demo-prod`) together, dev first."""
    return sorted(environments, key=lambda name: (_family(name), _stage(name), name))


def pairs(environments: Sequence[str]) -> list[tuple[str, str]]:
    """Each environment with the next one of its family, or with the next one where no two are of one."""
    neighbours = list(pairwise(environments))
    return [(one, other) for one, other in neighbours if _family(one) == _family(other)] or neighbours


def _stage(name: str) -> int:
    return next((rank for rank, stage in enumerate(_STAGES) if stage in name.lower()), len(_STAGES))


def _family(name: str) -> str:
    """What is before the stage in a name: `demo-` of demo-dev."""
    found = [name.lower().find(stage) for stage in _STAGES if stage in name.lower()]
    return name[: min(found)] if found else ""


def standings(
    environments: Iterable[str], hosts: Iterable[Host], drifting: set[str], drifts: Mapping[str, Open], now: datetime
) -> list[Standing]:
    """How each environment stands; hosts that are gone on purpose count nowhere."""
    counts: dict[str, dict[str, int]] = {name: {} for name in environments}
    for one in hosts:
        state = one.state(now)
        if state == "fresh":
            state = "in drift" if one.id in drifting else "in parity"
        own = counts.setdefault(one.environment, {})
        own[state] = own.get(state, 0) + 1
    kept = ("in parity", "in drift", "stale", "never reported")
    return [
        Standing(name, {state: counts[name].get(state, 0) for state in kept}, drifts.get(name))
        for name in in_order(counts)
    ]


def ends_of_days(now: datetime, count: int = DAYS) -> list[datetime]:
    """The last days, each by its end, in UTC; the last one by now."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return [*(midnight - timedelta(days=back) for back in reversed(range(count - 1))), now]


def parity(
    hosts: Sequence[Host], lasted: Iterable[Lasting], ends: Sequence[datetime]
) -> list[tuple[date, dict[str, Share]]]:
    """By day, the share of each environment's lasting hosts that had no open drift when the day ended.

    A host counts while it was enrolled; one that never reported, or is here for a job only, never does.
    """
    drifted: dict[str, set[int]] = {}
    for one in lasted:
        days = (day for day, end in enumerate(ends) if one.begun <= end and (one.ended is None or one.ended > end))
        drifted.setdefault(one.host_id, set()).update(days)
    counting = [one for one in hosts if one.seen_at and not one.ephemeral]
    found = []
    for day, end in enumerate(ends):
        alike: dict[str, list[bool]] = {}
        for host in counting:
            if host.enrolled_at <= end and (host.retired_at is None or host.retired_at > end):
                alike.setdefault(host.environment, []).append(day not in drifted.get(host.id, ()))
        found.append(
            ((end - timedelta(microseconds=1)).date(), {name: Share(sum(own), len(own)) for name, own in alike.items()})
        )
    return found
