"""How hosts stand, in the words that people look for: in drift, in parity, or why neither can be told."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, distinct, func, select

from envparity_server.compare.model import Severity
from envparity_server.drift.life import OPEN
from envparity_server.storage.actors import Environments
from envparity_server.storage.hosts import Host
from envparity_server.storage.tables import drift, drift_item, evaluated, host

IN_DRIFT, NOT_COMPARED, IN_PARITY = "in drift", "not compared", "in parity"
STANDINGS = (IN_DRIFT, "stale", NOT_COMPARED, "never reported", IN_PARITY, "expired", "retired")  # what matters first


def open_drifts(
    connection: Connection, seen: Environments = None, host_id: str | None = None
) -> dict[str, Counter[Severity]]:
    """How many drifts of each severity last on each host, or on one, decided on or not; one with none is left out."""
    query = (
        select(drift_item.c.subject, drift.c.severity, func.count(distinct(drift.c.id)))
        .join(drift, drift.c.id == drift_item.c.drift)
        .where(drift.c.state.in_(sorted(OPEN)), drift_item.c.gone_at.is_(None))
        .group_by(drift_item.c.subject, drift.c.severity)
    )
    if seen is not None:
        query = query.where(drift.c.environment.in_(sorted(seen)))
    if host_id is not None:
        query = query.where(drift_item.c.subject == host_id)
    found: dict[str, Counter[Severity]] = {}
    for subject, severity, count in connection.execute(query):
        found.setdefault(subject, Counter())[Severity(severity)] = count
    return found


def compared(connection: Connection, seen: Environments = None, host_id: str | None = None) -> dict[str, datetime]:
    """The hosts, or the one, that were held against a reference, each with when that was last news."""
    query = select(host.c.id, evaluated.c.at).join(evaluated, evaluated.c.subject == host.c.id)
    if seen is not None:
        query = query.where(host.c.environment.in_(sorted(seen)))
    if host_id is not None:
        query = query.where(host.c.id == host_id)
    return {row.id: row.at for row in connection.execute(query)}


def standing(one: Host, drifts: Mapping[Severity, int], is_compared: bool, now: datetime) -> str:
    """One of STANDINGS: what was never held against anything is not in parity, nor is what is silent."""
    state = one.state(now)
    if state != "fresh":
        return state
    if drifts:
        return IN_DRIFT
    return IN_PARITY if is_compared else NOT_COMPARED
