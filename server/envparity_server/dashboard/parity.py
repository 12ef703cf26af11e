"""Arranges what the page Overview shows: environments in their order, and their parity day by day."""

from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from envparity_server.dashboard.stages import in_order
from envparity_server.storage.drift_figures import Lasting, Open
from envparity_server.storage.hosts import Host
from envparity_server.storage.standings import IN_DRIFT, IN_PARITY, NOT_COMPARED

DAYS = 30
STATES = (IN_PARITY, IN_DRIFT, "stale", NOT_COMPARED, "never reported")


@dataclass(frozen=True)
class Standing:
    """An environment with its hosts by state, and its open drifts."""

    name: str
    counts: Mapping[str, int]  # of STATES
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


def told_states(standings: Sequence[Standing]) -> list[str]:
    """The states that are worth a column: the two that people look for, and those that a host is in."""
    return [
        state
        for state in STATES
        if state in (IN_DRIFT, "stale") or (state != IN_PARITY and any(one.counts[state] for one in standings))
    ]


def arranged(standings: Iterable[tuple[str, str]], drifts: Mapping[str, Open]) -> list[Standing]:
    """How each environment stands, of the (environment, standing) of its hosts; what is gone on purpose counts not."""
    counts = Counter(one for one in standings if one[1] in STATES)
    return [
        Standing(name, {state: counts[name, state] for state in STATES}, drifts.get(name))
        for name in in_order({name for name, _ in counts})
    ]


def ends_of_days(now: datetime, count: int = DAYS) -> list[datetime]:
    """The last days, each by its end, in UTC; the last one by now."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return [*(midnight - timedelta(days=back) for back in reversed(range(count - 1))), now]


def parity(
    hosts: Iterable[Host], compared: Container[str], lasted: Iterable[Lasting], ends: Sequence[datetime]
) -> list[tuple[date, dict[str, Share]]]:
    """By day, the share of each environment's lasting hosts that had no open drift when the day ended.

    A host counts while it was enrolled; one that nothing was held against, or is here for a job only, never does.
    """
    drifted: dict[str, set[int]] = {}
    for one in lasted:
        days = (day for day, end in enumerate(ends) if one.begun <= end and (one.ended is None or one.ended > end))
        drifted.setdefault(one.host_id, set()).update(days)
    counting = [one for one in hosts if one.id in compared and not one.ephemeral]
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
