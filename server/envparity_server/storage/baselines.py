"""Baselines: what people decided that hosts are held against, in versions that never change once they are proposed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, insert, literal, or_, select, update

from envparity_agent.errors import UsageError
from envparity_server.storage.actors import Environments
from envparity_server.storage.content import batches
from envparity_server.storage.tables import baseline, baseline_section, baseline_version, section_history

EACH_HOST = "hosts"  # the kind of a version that pins each host to a fingerprint of its own
ALL_HOSTS = ""  # the host id of a version's sections where they are for all hosts alike


class NoBaseline(UsageError):
    """There is no baseline of a name, for the one who asks."""


@dataclass(frozen=True)
class Baseline:
    """A name, whom it is for, and which of its versions is the reference."""

    name: str
    applies_to: str  # a selector
    environment: str  # of that selector; empty where it goes across environments
    approved: int | None
    newest: int
    created_at: datetime


@dataclass(frozen=True)
class Pinned:
    """Where the content of a version came from, and why."""

    source: str  # a selector at a moment, the name of a file or an image
    kind: str  # of the target that was pinned
    taken_at: str
    reason: str


@dataclass(frozen=True)
class Version:
    """A proposal, and what became of it."""

    name: str
    number: int
    source: str
    kind: str
    taken_at: str
    reason: str
    proposed_by: str
    proposed_at: datetime
    approved_by: str | None
    approved_at: datetime | None
    withdrawn_by: str | None
    withdrawn_at: datetime | None

    @property
    def is_each_host(self) -> bool:
        """Whether each host is pinned to a fingerprint of its own."""
        return self.kind == EACH_HOST

    @property
    def is_open(self) -> bool:
        """Whether nobody decided about it yet."""
        return self.approved_at is None and self.withdrawn_at is None


def every(connection: Connection, environments: Environments = None) -> list[Baseline]:
    """All baselines by name, for somebody who may see these environments."""
    query = select(baseline).order_by(baseline.c.name)
    if environments is not None:
        query = query.where(baseline.c.environment.in_(sorted(environments)))
    return [Baseline(**row._mapping) for row in connection.execute(query)]


def named(connection: Connection, name: str, environments: Environments = None) -> Baseline:
    """One baseline; raises NoBaseline, also where it is of an environment that the asker does not see."""
    row = connection.execute(select(baseline).where(baseline.c.name == name)).one_or_none()
    if row is None or not (environments is None or row.environment in environments):
        known = ", ".join(one.name for one in every(connection, environments)[:10]) or "none"
        raise NoBaseline(f"no baseline {name}", f"baselines: {known}")
    return Baseline(**row._mapping)


def versions(connection: Connection, names: Iterable[str]) -> list[Version]:
    """All versions of some baselines, the newest first."""
    found: list[Version] = []
    for batch in batches(list(names)):
        query = select(baseline_version).where(baseline_version.c.name.in_(batch))
        found += [Version(**row._mapping) for row in connection.execute(query)]
    return sorted(found, key=lambda one: (one.name, -one.number))


def approved(connection: Connection) -> list[tuple[Baseline, Version]]:
    """The baselines that are a reference now, each with its approved version."""
    held = {one.name: one for one in every(connection)}
    query = select(baseline_version).join(
        baseline, (baseline.c.name == baseline_version.c.name) & (baseline.c.approved == baseline_version.c.number)
    )
    found = [Version(**row._mapping) for row in connection.execute(query)]
    return [(held[one.name], one) for one in sorted(found, key=lambda one: one.name)]


def reference(one: Baseline, proposed: Sequence[Version], moment: datetime | None = None) -> Version | None:
    """Which of its versions was the reference at a moment, now by default; None where there was none, or no longer."""
    if moment is None:
        return next((version for version in proposed if version.number == one.approved), None)
    then = [version for version in proposed if version.approved_at and version.approved_at <= moment]
    last = max(then, key=lambda version: version.number, default=None)
    return None if last is None or (last.withdrawn_at and last.withdrawn_at <= moment) else last


def trees(
    connection: Connection, name: str, number: int, host_ids: Iterable[str] | None = None
) -> dict[str, dict[str, str]]:
    """The sections of a version by host id, or of some hosts only: path -> hash."""
    here = baseline_section.c.name == name, baseline_section.c.number == number
    query = select(baseline_section.c.host_id, baseline_section.c.path, baseline_section.c.hash).where(*here)
    queries = [query] if host_ids is None else [
        query.where(baseline_section.c.host_id.in_(batch)) for batch in batches(list(host_ids))
    ]  # fmt: skip
    found: dict[str, dict[str, str]] = {}
    for one in queries:
        for row in connection.execute(one):
            found.setdefault(row.host_id, {})[row.path] = row.hash
    return found


def propose(
    connection: Connection, name: str, applies_to: str, environment: str, pinned: Pinned, sections: Mapping[str, str],
    by: str, now: datetime,
) -> int:  # fmt: skip
    """Add a version with sections whose content is stored; returns its number.

    The same proposal again, as a client sends it that did not hear the answer, is the one that is there already.
    """
    last = connection.execute(
        select(baseline_version)
        .join(baseline, (baseline.c.name == baseline_version.c.name) & (baseline.c.newest == baseline_version.c.number))
        .where(baseline.c.name == name)
    ).one_or_none()
    if last is not None:
        newest = Version(**last._mapping)
        same = (newest.kind, newest.reason, newest.proposed_by) == (pinned.kind, pinned.reason, by)
        if newest.is_open and same and trees(connection, name, newest.number) == {ALL_HOSTS: dict(sections)}:
            return newest.number
    number = _next(connection, name, applies_to, environment, pinned, by, now)
    rows = [
        {"name": name, "number": number, "host_id": ALL_HOSTS, "path": path, "hash": hash}
        for path, hash in sections.items()
    ]
    if rows:
        connection.execute(insert(baseline_section), rows)
    return number


def pin_each(
    connection: Connection, name: str, applies_to: str, environment: str, pinned: Pinned, host_ids: Iterable[str],
    by: str, now: datetime,
) -> int:  # fmt: skip
    """Add a version that pins each host to what it runs now; returns its number."""
    number = _next(connection, name, applies_to, environment, pinned, by, now)
    present = section_history.c.last_seen.is_(None)
    for batch in batches(list(host_ids)):
        columns = (section_history.c.host_id, section_history.c.path, section_history.c.hash)
        rows = select(literal(name), literal(number), *columns).where(section_history.c.host_id.in_(batch), present)
        connection.execute(insert(baseline_section).from_select(["name", "number", "host_id", "path", "hash"], rows))
    return number


def _next(
    connection: Connection, name: str, applies_to: str, environment: str, pinned: Pinned, by: str, now: datetime
) -> int:
    """The row of the next version, of the first one with the baseline itself."""
    counted = connection.execute(update(baseline).where(baseline.c.name == name).values(newest=baseline.c.newest + 1))
    if not counted.rowcount:
        connection.execute(
            insert(baseline).values(name=name, applies_to=applies_to, environment=environment, newest=1, created_at=now)
        )
    number = connection.execute(select(baseline.c.newest).where(baseline.c.name == name)).scalar_one()
    connection.execute(
        insert(baseline_version).values(
            name=name,
            number=number,
            source=pinned.source,
            kind=pinned.kind,
            taken_at=pinned.taken_at,
            reason=pinned.reason,
            proposed_by=by,
            proposed_at=now,
        )
    )
    return int(number)


def approve(connection: Connection, name: str, number: int, by: str, now: datetime) -> bool:
    """Make the newest version the reference; False where it is not the newest, or somebody decided about it already.

    1. The baseline's row moves only from another version to this one, while no newer one was proposed.
    2. The version's row moves only from proposed to approved; the caller's transaction takes back 1 where it does not.
    """
    moved = connection.execute(
        update(baseline)
        .where(
            baseline.c.name == name,
            baseline.c.newest == number,
            or_(baseline.c.approved.is_(None), baseline.c.approved < number),
        )
        .values(approved=number)
    )
    decided = connection.execute(
        update(baseline_version)
        .where(
            baseline_version.c.name == name,
            baseline_version.c.number == number,
            baseline_version.c.approved_at.is_(None),
            baseline_version.c.withdrawn_at.is_(None),
        )
        .values(approved_by=by, approved_at=now)
    )
    return moved.rowcount == decided.rowcount == 1


def withdraw(connection: Connection, name: str, number: int, by: str, now: datetime) -> bool:
    """Take back a proposal, or the reference: then there is none; False where it is neither, or no longer."""
    reference = connection.execute(
        update(baseline).where(baseline.c.name == name, baseline.c.approved == number).values(approved=None)
    )
    undecided = [] if reference.rowcount else [baseline_version.c.approved_at.is_(None)]
    decided = connection.execute(
        update(baseline_version)
        .where(
            baseline_version.c.name == name,
            baseline_version.c.number == number,
            baseline_version.c.withdrawn_at.is_(None),
            *undecided,
        )
        .values(withdrawn_by=by, withdrawn_at=now)
    )
    return decided.rowcount == 1


def remove(connection: Connection, name: str, newest: int) -> bool:
    """Remove a baseline with all its versions; False where a newer version was proposed meanwhile."""
    gone = connection.execute(delete(baseline).where(baseline.c.name == name, baseline.c.newest == newest))
    return gone.rowcount == 1
