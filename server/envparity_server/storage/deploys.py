"""Markers of deploys: what begins on a deploy's hosts while it lasts is its doing, and not told."""

import secrets
from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, insert, or_, select, update

from envparity_server.storage.actors import Environments
from envparity_server.storage.content import batches
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
    """Mark the beginning; who marks the same again, before its end, did not hear the answer: it is the same deploy."""
    what = deploy.c.hosts == hosts, deploy.c.name == name, deploy.c.link == link
    same = (
        *what,
        deploy.c.environment == environment,
        deploy.c.begun_by == by,
    )  # names of hosts and tokens may be others'
    lasting = deploy.c.ended_at.is_(None), deploy.c.begun_at > now - LONGEST
    row = connection.execute(select(deploy).where(*same, *lasting).limit(1)).one_or_none()
    if row:
        return Deploy(**row._mapping)
    made = Deploy(secrets.token_hex(8), hosts, environment, name, link, now, None, by)
    connection.execute(insert(deploy).values(**asdict(made)))
    return made


def end(connection: Connection, ids: list[str], now: datetime) -> None:
    """Mark the end of deploys; one that has ended stays as it is."""
    connection.execute(update(deploy).where(deploy.c.id.in_(ids), deploy.c.ended_at.is_(None)).values(ended_at=now))


def by_id(connection: Connection, id: str) -> Deploy | None:
    """One deploy."""
    row = connection.execute(select(deploy).where(deploy.c.id == id)).one_or_none()
    return Deploy(**row._mapping) if row else None


def listed(
    connection: Connection, seen: Environments = None, hosts: str = "", lasting: bool = False, limit: int = 200
) -> list[Deploy]:
    """The newest deploys, of one selector or those that last if asked for."""
    query = select(deploy).order_by(deploy.c.begun_at.desc(), deploy.c.id).limit(limit)
    if seen is not None:
        query = query.where(deploy.c.environment.in_(sorted(seen)))
    if hosts:
        query = query.where(deploy.c.hosts == hosts)
    if lasting:
        query = query.where(deploy.c.ended_at.is_(None))
    return [Deploy(**row._mapping) for row in connection.execute(query)]


def begun(connection: Connection, since: datetime, until: datetime, seen: Environments, limit: int) -> list[Deploy]:
    """The deploys that began in a time, the newest first."""
    query = select(deploy).where(deploy.c.begun_at >= since, deploy.c.begun_at < until)
    if seen is not None:
        query = query.where(deploy.c.environment.in_(sorted(seen)))
    rows = connection.execute(query.order_by(deploy.c.begun_at.desc(), deploy.c.id).limit(limit))
    return [Deploy(**row._mapping) for row in rows]


def recent(connection: Connection, environment: str, since: datetime, more: Collection[str]) -> list[Deploy]:
    """The deploys of an environment that had not ended at a moment, and some by id, as they began."""
    query = select(deploy).where(deploy.c.environment == environment)
    ended = deploy.c.ended_at.is_(None), deploy.c.ended_at >= since
    found = list(connection.execute(query.where(or_(*ended), deploy.c.begun_at >= since - LONGEST)))
    for batch in batches(sorted(more)):
        found += connection.execute(query.where(deploy.c.id.in_(batch)))
    known = {row.id: Deploy(**row._mapping) for row in found}
    return sorted(known.values(), key=lambda one: (one.begun_at, one.id))
