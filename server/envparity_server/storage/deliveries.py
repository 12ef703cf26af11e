"""Deliveries: what is to be sent to a channel, what was, and what became of it.

waiting ──claim──> sending ──> delivered
   ^                  │
   └──── retrying <───┴──> given up

`due_at` is the one column that says whether there is anything left to do; whoever moves it on from the value that was
read has the delivery to itself until then.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, exists, func, select, true, update

from envparity_server.storage.content import batches
from envparity_server.storage.tables import channel, delivery
from envparity_server.storage.upserts import adding

STATES = ("waiting", "retrying", "delivered", "given up")


@dataclass(frozen=True)
class Delivery:
    """One notification on its way to one channel."""

    id: str
    channel: str
    drift: str | None  # None for a test
    event: str
    title: str
    body: Mapping[str, Any]  # a notification's document
    made_at: datetime
    due_at: datetime | None  # None once it was delivered or given up
    tries: int = 0
    delivered_at: datetime | None = None
    problem: str | None = None

    @property
    def state(self) -> str:
        """One of STATES."""
        if self.delivered_at:
            return "delivered"
        if self.due_at is None:
            return "given up"
        return "retrying" if self.tries else "waiting"


def _delivery(row: Row[Any]) -> Delivery:
    return Delivery(**row._mapping)


def add(connection: Connection, new: Iterable[Delivery]) -> int:
    """Add deliveries; those whose id is there already stay as they are. Returns how many are new."""
    rows = [{name: getattr(one, name) for name in Delivery.__dataclass_fields__} for one in new]
    there = set[str]()
    for batch in batches([row["id"] for row in rows]):
        there.update(connection.scalars(select(delivery.c.id).where(delivery.c.id.in_(batch))))
    for rows_of_batch in batches(rows):
        connection.execute(adding(connection, delivery), rows_of_batch)
    return len({row["id"] for row in rows} - there)


def told(connection: Connection, drifts: Sequence[str]) -> dict[str, set[str]]:
    """Which channels were told of drifts: drift -> channels."""
    found: dict[str, set[str]] = {}
    for batch in batches(list(drifts)):
        query = select(delivery.c.drift, delivery.c.channel).where(delivery.c.drift.in_(batch)).distinct()
        for row in connection.execute(query):
            found.setdefault(row.drift, set()).add(row.channel)
    return found


def channels_due(connection: Connection, now: datetime) -> list[str]:
    """The names of the channels that something is due for."""
    return list(
        connection.scalars(
            select(delivery.c.channel)
            .join(channel, channel.c.name == delivery.c.channel)
            .where(delivery.c.due_at <= now, channel.c.enabled)
            .distinct()
            .order_by(delivery.c.channel)
        )
    )


def due(connection: Connection, channel_name: str, now: datetime, most: int) -> list[Delivery]:
    """What is due for a channel, the oldest first; of one drift never the later news before the earlier."""
    earlier = delivery.alias("earlier")
    overtakes = exists().where(
        earlier.c.channel == delivery.c.channel,
        earlier.c.drift == delivery.c.drift,
        earlier.c.made_at < delivery.c.made_at,
        earlier.c.due_at.is_not(None),
    )
    query = (
        select(delivery)
        .where(delivery.c.channel == channel_name, delivery.c.due_at <= now, ~overtakes)
        .order_by(delivery.c.made_at, delivery.c.id)
        .limit(most)
    )
    return [_delivery(row) for row in connection.execute(query)]


def claim(connection: Connection, one: Delivery, until: datetime) -> bool:
    """Take a delivery for one try, until a moment at which it is due again if nobody said how it ended.

    Whoever else read the same `due_at` gets False: of two processes one sends.
    """
    claimed = connection.execute(
        update(delivery)
        .where(delivery.c.id == one.id, delivery.c.due_at == one.due_at)
        .values(due_at=until, tries=delivery.c.tries + 1)
    )
    return claimed.rowcount == 1


def end(
    connection: Connection,
    id: str,
    claimed_until: datetime,
    *,
    due_at: datetime | None = None,
    delivered_at: datetime | None = None,
    problem: str | None = None,
) -> None:
    """Say how a try ended, unless somebody else has taken the delivery meanwhile."""
    connection.execute(
        update(delivery)
        .where(delivery.c.id == id, delivery.c.due_at == claimed_until)
        .values(due_at=due_at, delivered_at=delivered_at, problem=problem)
    )


def give_up(connection: Connection, channel_name: str, problem: str) -> None:
    """Give up what a channel has not got yet."""
    connection.execute(
        update(delivery)
        .where(delivery.c.channel == channel_name, delivery.c.due_at.is_not(None))
        .values(due_at=None, problem=problem)
    )


_IN_STATE: Mapping[str, ColumnElement[bool]] = {
    "waiting": and_(delivery.c.due_at.is_not(None), delivery.c.tries == 0),
    "retrying": and_(delivery.c.due_at.is_not(None), delivery.c.tries > 0),
    "delivered": delivery.c.delivered_at.is_not(None),
    "given up": and_(delivery.c.due_at.is_(None), delivery.c.delivered_at.is_(None)),
}


def log(
    connection: Connection, channels: Sequence[str], state: str | None = None, limit: int = 100, offset: int = 0
) -> tuple[list[Delivery], int]:
    """The newest deliveries of some channels, in one state if asked for, and how many there are in all."""
    of = and_(delivery.c.channel.in_(channels), _IN_STATE[state] if state else true())
    total = connection.scalar(select(func.count()).select_from(delivery).where(of)) or 0
    query = select(delivery).where(of).order_by(delivery.c.made_at.desc(), delivery.c.id).limit(limit).offset(offset)
    return [_delivery(row) for row in connection.execute(query)], total
