"""What was held against what at the last evaluation, so that nothing is compared twice; and when hosts changed."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, func, select

from envparity_agent.canonical import canonical, digest
from envparity_server.storage.content import batches
from envparity_server.storage.tables import baseline, change, environment, evaluated, history
from envparity_server.storage.upserts import putting


@dataclass(frozen=True)
class Evaluated:
    """A subject (a host by its id, env:NAME, or a group) and the hashes of all that its evaluation follows from."""

    subject: str
    peers: str
    root: str
    reference: str
    rules: str
    seen_at: datetime | None
    at: datetime

    @property
    def basis(self) -> tuple[str, str, str, str, str]:
        """All that it follows from, whenever it was."""
        return self.subject, self.peers, self.root, self.reference, self.rules

    def is_as(self, other: "Evaluated") -> bool:
        """Whether the other one can find nothing else."""
        return self.basis == other.basis


@dataclass(frozen=True)
class Window:
    """A change came between two reports: the last one without it, None where there is none, and the first with it."""

    after: datetime | None
    before: datetime
    actor: str | None = None


def known(connection: Connection, subjects: Iterable[str]) -> dict[str, Evaluated]:
    """The last evaluation of each subject that has one."""
    found: dict[str, Evaluated] = {}
    for batch in batches(list(subjects)):
        for row in connection.execute(select(evaluated).where(evaluated.c.subject.in_(batch))):
            found[row.subject] = Evaluated(**row._mapping)
    return found


def remember(connection: Connection, rows: Collection[Evaluated]) -> None:
    """Make these the last evaluations of their subjects."""
    for batch in batches([asdict(one) for one in rows]):
        connection.execute(putting(connection, evaluated), batch)


def forget(connection: Connection, subjects: Collection[str]) -> None:
    """Take these as never evaluated."""
    for batch in batches(sorted(subjects)):
        connection.execute(delete(evaluated).where(evaluated.c.subject.in_(batch)))


def approvals(connection: Connection) -> str:
    """A hash of which baselines there are and what version of each is approved."""
    rows = connection.execute(select(baseline.c.name, baseline.c.applies_to, baseline.c.approved))
    return digest(canonical([[row.name, row.applies_to, row.approved] for row in rows.all()]))


def held_against(connection: Connection) -> dict[str, str]:
    """The environments that are meant to be like something, each with the selector of that."""
    rows = connection.execute(
        select(environment.c.name, environment.c.against).where(environment.c.against.is_not(None))
    )
    return {row.name: row.against for row in rows}


def moves(connection: Connection, seen: Mapping[str, datetime | None]) -> dict[tuple[str, str, str], Window]:
    """The newest change of each (host, section, item) in reports after the one that was looked at.

    Where something of a section changed, (host, section, "") has the newest of it.
    """
    since = min((moment for moment in seen.values() if moment), default=None)
    found: dict[tuple[str, str, str], Window] = {}
    for batch in batches(list(seen)):
        query = select(change).where(change.c.host_id.in_(batch), *([change.c.before > since] if since else []))
        for row in connection.execute(query.order_by(change.c.before, change.c.id)):
            looked_at = seen[row.host_id]
            if looked_at is None or row.before > looked_at:
                window = Window(row.after, row.before, row.actor)
                found[row.host_id, row.section, row.item] = found[row.host_id, row.section, ""] = window
    return found


def last_seen_before(connection: Connection, host_ids: Iterable[str]) -> dict[str, datetime]:
    """When each host last reported another root than its present one; a host with one root only is left out."""
    found: dict[str, datetime] = {}
    for batch in batches(list(host_ids)):
        query = select(history.c.host_id, func.max(history.c.last_seen).label("last"))
        ended = query.where(history.c.host_id.in_(batch), history.c.last_seen.is_not(None))
        found.update((row.host_id, row.last) for row in connection.execute(ended.group_by(history.c.host_id)))
    return found
