"""Environments: how many hosts they have, in which states, and what each is meant to be like."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select, update

from envparity_server.storage import hosts
from envparity_server.storage.actors import Environments
from envparity_server.storage.tables import environment


@dataclass(frozen=True)
class Environment:
    """A stage."""

    name: str
    against: str | None  # the selector that it is meant to be like
    created_at: datetime
    counts: Counter[str]  # a state of hosts -> how many; `ephemeral` counts those once more


def listed(connection: Connection, now: datetime, seen: Environments = None) -> Sequence[Environment]:
    """The environments that somebody may see, by name."""
    counts: dict[str, Counter[str]] = {}
    for one in hosts.all_hosts(connection, seen, retired=True):
        counted = counts.setdefault(one.environment, Counter())
        state = one.state(now)
        counted[state] += 1
        counted["ephemeral"] += one.ephemeral and state not in hosts.GONE
    rows = connection.execute(select(environment).order_by(environment.c.name))
    return [
        Environment(row.name, row.against, row.created_at, counts.get(row.name, Counter()))
        for row in rows
        if seen is None or row.name in seen
    ]


def is_known(connection: Connection, name: str, seen: Environments = None) -> bool:
    """Whether there is such an environment for somebody who may see these."""
    return name in hosts.environments(connection, seen)


def put(connection: Connection, name: str, against: str | None, now: datetime) -> None:
    """Say what an environment is meant to be like; it is made where it is new."""
    hosts.register_environment(connection, name, now)
    connection.execute(update(environment).where(environment.c.name == name).values(against=against))
