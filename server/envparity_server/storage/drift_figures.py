"""Figures of drifts: how many are open by environment and severity, and on which host each lasted when."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, func, or_, select, true

from envparity_server.compare.model import Severity
from envparity_server.drift.life import OPEN, State
from envparity_server.storage.actors import Environments
from envparity_server.storage.tables import drift, drift_item


@dataclass(frozen=True)
class Open:
    """The open drifts of an environment: how many of each severity, and since when the oldest is there."""

    severities: Mapping[Severity, int]
    since: datetime

    @property
    def total(self) -> int:
        """How many they are."""
        return sum(self.severities.values())


@dataclass(frozen=True)
class Lasting:
    """A drift lasted on a host from a moment to another; `ended` is None while it does."""

    host_id: str
    begun: datetime
    ended: datetime | None


def opened(connection: Connection, seen: Environments = None) -> dict[str, Open]:
    """The open drifts by environment; one without any is left out."""
    count, first = func.count().label("drifts"), func.min(drift.c.first_seen).label("since")
    rows = connection.execute(
        select(drift.c.environment, drift.c.severity, count, first)
        .where(drift.c.state.in_(sorted(OPEN)), _seen_by(seen))
        .group_by(drift.c.environment, drift.c.severity)
        .order_by(drift.c.severity.desc())
    ).all()
    severities: dict[str, dict[Severity, int]] = defaultdict(dict)
    since: dict[str, datetime] = {}
    for row in rows:
        severities[row.environment][Severity(row.severity)] = row.drifts
        since[row.environment] = min(row.since, since.get(row.environment, row.since))
    return {name: Open(found, since[name]) for name, found in severities.items()}


def lasted(connection: Connection, since: datetime, seen: Environments = None) -> list[Lasting]:
    """On which hosts each drift lasted, and when, of all that lasted after a moment; silence is one of them."""
    was_open = or_(drift.c.state != State.RESOLVED, drift.c.state_since >= since)
    was_there = or_(drift_item.c.gone_at.is_(None), drift_item.c.gone_at >= since)
    rows = connection.execute(
        select(
            drift_item.c.subject,
            func.min(func.coalesce(drift_item.c.since_before, drift.c.first_seen)).label("begun"),
            func.max(drift_item.c.gone_at).label("ended"),
            (func.count() > func.count(drift_item.c.gone_at)).label("lasts"),
        )
        .join(drift, drift.c.id == drift_item.c.drift)
        .where(was_open, was_there, drift.c.is_whole.is_(False), _seen_by(seen))
        .group_by(drift_item.c.drift, drift_item.c.subject)
    )
    return [Lasting(row.subject, row.begun, None if row.lasts else row.ended) for row in rows]


def _seen_by(seen: Environments) -> ColumnElement[bool]:
    return true() if seen is None else drift.c.environment.in_(sorted(seen))
