"""Markers of deploys: what begins on a deploy's hosts while it lasts is its doing, and not told."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, insert, or_, select, update

from envparity_server.storage.actors import Environments
from envparity_server.storage.tables import deploy

LONGEST = timedelta(hours=24)  # a deploy whose end nobody told ends by then


@dataclass(frozen=True)
class Deploy:
    """A deploy to the hosts of a selector; `ended_at` is None while it lasts."""

    id: str
    hosts: str
    environment: str
    name: str
    link: str
    begun_at: datetime
    ended_at: datetime | None
    begun_by: str

    def is_over(self, now: datetime, settle: timedelta) -> bool:
        """Whether what it left behind is to be told."""
        return now >= min(self.ended_at or self.begun_at + LONGEST, self.begun_at + LONGEST) + settle


def begin(connection: Connection, hosts: str, environment: str, name: str, link: str, by: str, now: datetime) -> Deploy:
    """Mark the beginning."""
    made = Deploy(secrets.token_hex(8), hosts, environment, name, link, now, None, by)
    connection.execute(insert(deploy).values(**made.__dict__))
    return made


def end(connection: Connection, ids: list[str], now: datetime) -> None:
    """Mark the end of deploys; one that has ended stays as it is."""
    connection.execute(update(deploy).where(deploy.c.id.in_(ids), deploy.c.ended_at.is_(None)).values(ended_at=now))


def by_id(connection: Connection, id: str) -> Deploy | None:
    """One deploy."""
    row = connection.execute(select(deploy).where(deploy.c.id == id)).one_or_none()
    return Deploy(**row._mapping) if row else None


def unended(connection: Connection, hosts: str, seen: Environments = None) -> list[Deploy]:
    """The deploys of a selector whose end nobody marked."""
    query = select(deploy).where(deploy.c.hosts == hosts, deploy.c.ended_at.is_(None)).order_by(deploy.c.begun_at)
    found = [Deploy(**row._mapping) for row in connection.execute(query)]
    return [one for one in found if seen is None or one.environment in seen]


def recent(connection: Connection, environment: str, since: datetime) -> list[Deploy]:
    """The deploys of an environment that had not ended at a moment, in the order of their beginnings."""
    lasting = or_(deploy.c.ended_at.is_(None), deploy.c.ended_at >= since)
    query = select(deploy).where(deploy.c.environment == environment, lasting, deploy.c.begun_at >= since - LONGEST)
    return [Deploy(**row._mapping) for row in connection.execute(query.order_by(deploy.c.begun_at, deploy.c.id))]
