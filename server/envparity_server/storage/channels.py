"""Channels: where notifications go, for which hosts, and from which severity on."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from envparity_server.storage.tables import channel


@dataclass(frozen=True)
class Channel:
    """One receiver."""

    name: str
    kind: str  # webhook or apprise
    address: str = field(repr=False)  # both may be secrets: no log or error tells them
    secret: str = field(repr=False)  # signs a webhook's body; empty for other kinds
    hosts: str  # a selector; empty for all
    severity: int  # the lowest that is told
    enabled: bool
    created_by: str
    created_at: datetime


def _channel(row: Row[Any]) -> Channel:
    return Channel(**row._mapping)


def all_channels(connection: Connection) -> list[Channel]:
    """Every channel by name."""
    return [_channel(row) for row in connection.execute(select(channel).order_by(channel.c.name))]


def by_name(connection: Connection, name: str) -> Channel | None:
    """One channel."""
    row = connection.execute(select(channel).where(channel.c.name == name)).one_or_none()
    return _channel(row) if row else None


def add(connection: Connection, new: Channel) -> None:
    """Add a channel; its name must be free."""
    connection.execute(insert(channel).values({name: getattr(new, name) for name in Channel.__dataclass_fields__}))


def change(connection: Connection, name: str, **changed: Any) -> None:
    """Change some columns of a channel."""
    connection.execute(update(channel).where(channel.c.name == name).values(**changed))


def remove(connection: Connection, name: str) -> None:
    """Remove a channel, and what was to be sent to it."""
    connection.execute(delete(channel).where(channel.c.name == name))
