"""What happened lately that an open page may show: hosts that enrolled or reported, changes, drifts, runs of gates.

It is asked for by its moment and not by the greatest number so far: what was committed late, by another process or
after a longer transaction, is still found while one looks back a little.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, or_, select

from envparity_server.storage.actors import Environments
from envparity_server.storage.tables import change, drift, gate_run, gate_run_environment, host


@dataclass(frozen=True)
class Happening:
    """Something that happened, and to what: a host, a drift, a run of a gate."""

    kind: str  # host, report, change, drift, gate
    id: str
    at: datetime
    environments: frozenset[str]

    def is_seen(self, seen: Environments) -> bool:
        """Whether somebody who sees these environments may know of it; what is of none is for who sees all."""
        return seen is None or (bool(self.environments) and self.environments <= seen)


def since(connection: Connection, moment: datetime) -> list[Happening]:
    """What happened since a moment, in this order."""
    found = [*_hosts(connection, moment), *_drifts(connection, moment), *_gates(connection, moment)]
    return sorted(found, key=lambda one: (one.at, one.kind, one.id))


def _hosts(connection: Connection, moment: datetime) -> Iterator[Happening]:
    recent = or_(host.c.enrolled_at >= moment, host.c.seen_at >= moment)
    for row in connection.execute(
        select(host.c.id, host.c.environment, host.c.enrolled_at, host.c.seen_at).where(recent)
    ):
        where = frozenset({row.environment})
        for kind, at in (("host", row.enrolled_at), ("report", row.seen_at)):
            if at is not None and at >= moment:
                yield Happening(kind, row.id, at, where)
    changed = (
        select(host.c.id, host.c.environment, func.max(change.c.before).label("at"))
        .join(host, host.c.id == change.c.host_id)
        .where(change.c.before >= moment)
        .group_by(host.c.id, host.c.environment)
    )
    for id, environment, at in connection.execute(changed):
        yield Happening("change", id, at, frozenset({environment}))


def _drifts(connection: Connection, moment: datetime) -> Iterator[Happening]:
    moved = (drift.c.state_since >= moment, drift.c.last_moved >= moment)
    query = select(drift.c.id, drift.c.environment, drift.c.state_since, drift.c.last_moved).where(or_(*moved))
    for row in connection.execute(query):
        yield Happening("drift", row.id, max(row.state_since, row.last_moved), frozenset({row.environment}))


def _gates(connection: Connection, moment: datetime) -> Iterator[Happening]:
    recent = connection.execute(select(gate_run.c.id, gate_run.c.at).where(gate_run.c.at >= moment))
    runs = {row.id: row.at for row in recent}
    where = _environments_of(connection, runs) if runs else {}
    for id, at in runs.items():
        yield Happening("gate", str(id), at, frozenset(where.get(id, ())))


def _environments_of(connection: Connection, runs: Iterable[int]) -> dict[int, set[str]]:
    found: dict[int, set[str]] = defaultdict(set)
    run, environment = gate_run_environment.c.run, gate_run_environment.c.environment
    for id, name in connection.execute(select(run, environment).where(run.in_(runs))):
        found[id].add(name)
    return found
