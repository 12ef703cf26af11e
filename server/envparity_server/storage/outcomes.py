"""Outcomes of checks: whether what a host or a job ran failed; told again of the same, the last word counts."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, func, select

from envparity_server.storage.actors import Environments
from envparity_server.storage.content import batches
from envparity_server.storage.tables import outcome
from envparity_server.storage.upserts import putting


@dataclass(frozen=True)
class Told:
    """One outcome: of a check, on a host or in a job, that ran a root."""

    check: str
    subject: str  # id of the host, or JOB/RUN
    root: str
    host_id: str | None
    environment: str
    failed: bool
    at: datetime
    told_by: str


def put(connection: Connection, told: Sequence[Told]) -> None:
    """Remember outcomes, each in place of an earlier one of the same check, subject and root."""
    last = {(one.check, one.subject, one.root): one for one in told}  # one statement must not meet a row twice
    for batch in batches([asdict(last[key]) for key in sorted(last)]):
        connection.execute(putting(connection, outcome), batch)


def listed(
    connection: Connection, seen: Environments, check: str = "", until: datetime | None = None, limit: int = 1000,
    offset: int = 0,
) -> list[Told]:  # fmt: skip
    """The newest outcomes of the environments that somebody sees, of one check if asked for."""
    order = outcome.c.at.desc(), outcome.c.check, outcome.c.subject, outcome.c.root
    query = select(outcome).where(*_of(seen, check, until)).order_by(*order).limit(limit).offset(offset)
    return [Told(**row._mapping) for row in connection.execute(query)]


def count(connection: Connection, seen: Environments, check: str = "") -> int:
    """How many there are."""
    return connection.scalar(select(func.count()).select_from(outcome).where(*_of(seen, check, None))) or 0


def _of(seen: Environments, check: str, until: datetime | None) -> list[ColumnElement[bool]]:
    return [
        *([] if seen is None else [outcome.c.environment.in_(sorted(seen))]),
        *([outcome.c.check == check] if check else []),
        *([outcome.c.at <= until] if until else []),
    ]
