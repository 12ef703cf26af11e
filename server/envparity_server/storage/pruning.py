"""Retention: what is older than a time goes, in small batches; what a host runs now never does.

1. Of each host: its intervals, sections and changes that ended before; then runs of jobs, deliveries and what expired.
2. What no host has any more goes from the index of items.
3. Content that nothing refers to goes: marked in memory, and looked at again where hosts reported meanwhile.

On PostgreSQL whoever is about to refer to content holds it (`content.hold`), and a batch of 2 or 3 waits until nobody
does; SQLite has one writer at a time. Old roots are not needed: `section_history` has the trees.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, Engine, Table, delete, exists, func, select

from envparity_agent.errors import CannotTell
from envparity_server.storage import content, gate_runs
from envparity_server.storage.content import batches
from envparity_server.storage.database import reading, writing
from envparity_server.storage.tables import (
    access_token,
    baseline_section,
    change,
    delivery,
    deploy,
    drift,
    enrolment_token,
    gate_run,
    history,
    host,
    job_run,
    login,
    outcome,
    page_item,
    section_history,
    section_page,
    session,
)
from envparity_server.storage.tables import content as content_table

GRACE = timedelta(days=1)  # uploads under way: nothing refers to their objects yet
_SCANNED = 5000  # hashes of content in one look


@dataclass(frozen=True)
class Pruned:
    """How many rows went, by table."""

    counts: Mapping[str, int]


def prune(engine: Engine, now: datetime, keep: timedelta, keep_in: Mapping[str, timedelta] | None = None) -> Pruned:
    """Take out what is older than `keep`, or than what `keep_in` has for a host's environment.

    Raises CannotTell, and has done nothing, where the clock must be wrong: most hosts would be too old, or the newest
    report is further from now than what is kept.
    """
    kept = keep_in or {}
    with reading(engine) as connection:
        every = _hosts(connection, now)
    _check_clock(every, now, keep, kept)
    counts: dict[str, int] = {}

    def told(table: Table, count: int) -> None:
        counts[table.name] = counts.get(table.name, 0) + count

    for one in every:
        before = now - kept.get(one.environment, keep)
        with writing(engine) as connection:  # in one: a moment has its root and its sections, or neither
            for table, old in _of_host(one.id, before):
                told(table, connection.execute(delete(table).where(*old)).rowcount)
    for table, condition in _expired(now - keep):
        with writing(engine) as connection:
            told(table, connection.execute(delete(table).where(*condition)).rowcount)
    for table, count in _prune_index(engine):
        told(table, count)
    told(content_table, sum(_sweep(engine, now - GRACE)))
    return Pruned(counts)


@dataclass(frozen=True)
class _Host:
    id: str
    environment: str
    seen_at: datetime | None
    is_expected: bool  # to report: neither retired nor past its end


def _hosts(connection: Connection, now: datetime) -> list[_Host]:
    columns = host.c.id, host.c.environment, host.c.seen_at, host.c.retired_at, host.c.credential_expires_at
    return [
        _Host(id, environment, seen_at, retired_at is None and (ends_at is None or ends_at > now))
        for id, environment, seen_at, retired_at, ends_at in connection.execute(select(*columns).order_by(host.c.id))
    ]


def _check_clock(every: Sequence[_Host], now: datetime, keep: timedelta, keep_in: Mapping[str, timedelta]) -> None:
    seen = [(one, one.seen_at) for one in every if one.seen_at and one.is_expected]
    if not seen:
        return
    newest = max(seen_at for _, seen_at in seen)
    if abs(now - newest) > keep:
        clock, report = (f"{moment:%Y-%m-%d %H:%M}" for moment in (now, newest))
        raise CannotTell(
            f"nothing was pruned: it is {clock} UTC here, and the newest report is of {report}",
            "set the clock right; where all hosts were silent for so long, retire them: envparity hosts retire NAME",
        )
    old = sum(now - seen_at > keep_in.get(one.environment, keep) for one, seen_at in seen)
    if 2 * old > len(seen):
        raise CannotTell(
            f"nothing was pruned: the last reports of {old} of {len(seen)} hosts are older than what is kept",
            "set the clock right, keep more days, or retire hosts that are gone: envparity hosts retire NAME",
        )


def _of_host(host_id: str, before: datetime) -> Iterator[tuple[Table, list[ColumnElement[bool]]]]:
    """What is too old of a host; of a section that cannot be read now the last good one stays."""
    yield history, [history.c.host_id == host_id, history.c.last_seen < before]
    own = section_history.c.host_id == host_id
    good, present = section_history.alias(), section_history.alias()
    last_good = (
        select(func.max(good.c.first_seen))
        .where(good.c.host_id == host_id, good.c.path == section_history.c.path, good.c.good)
        .correlate(section_history)
        .scalar_subquery()
    )
    unread = (
        select(present.c.path)
        .where(present.c.host_id == host_id, present.c.last_seen.is_(None), ~present.c.good)
        .scalar_subquery()
    )
    needed = section_history.c.path.in_(unread) & (section_history.c.first_seen == last_good)
    yield section_history, [own, section_history.c.last_seen < before, ~func.coalesce(needed, False)]
    yield change, [change.c.host_id == host_id, change.c.before < before]


def _expired(before: datetime) -> Iterator[tuple[Table, list[ColumnElement[bool]]]]:
    yield job_run, [job_run.c.due_at < before]
    lasts = exists().where(drift.c.id == delivery.c.drift, drift.c.state != "resolved")  # its end will be told as well
    yield delivery, [delivery.c.made_at < before, delivery.c.due_at.is_(None), ~lasts]
    yield drift, [drift.c.state == "resolved", drift.c.state_since < before]
    yield deploy, [deploy.c.ended_at < before]
    yield outcome, [outcome.c.at < before]
    yield gate_run, [gate_run.c.at < before, gate_runs.is_spent()]
    for table in (session, login, enrolment_token, access_token):
        yield table, [table.c.expires_at < before]


def _prune_index(engine: Engine) -> Iterator[tuple[Table, int]]:
    """Take what no host has any more out of the index; looked up again in the transaction that does it."""
    present = exists().where(section_history.c.hash == section_page.c.section, section_history.c.last_seen.is_(None))
    indexed = exists().where(section_page.c.page == page_item.c.page)
    for column, in_use in ((section_page.c.section, present), (page_item.c.page, indexed)):
        with reading(engine) as connection:
            unused = list(connection.scalars(select(column).where(~in_use).distinct()))
        for batch in batches(unused):
            with writing(engine) as connection:
                content.hold_alone(connection)
                gone = connection.execute(delete(column.table).where(column.in_(batch), ~in_use))
                yield column.table, gone.rowcount


def _sweep(engine: Engine, before: datetime) -> Iterator[int]:
    """Take out content that was stored before a moment and that nothing refers to; yields how much, by batch."""
    live = _Live()
    with reading(engine) as connection:
        live.mark(connection)
    last = ""
    while True:
        of = content_table.c.hash > last, content_table.c.stored_at < before
        with reading(engine) as connection:
            hashes = list(
                connection.scalars(
                    select(content_table.c.hash).where(*of).order_by(content_table.c.hash).limit(_SCANNED)
                )
            )
        if not hashes:
            return
        last = hashes[-1]
        for batch in batches([hash for hash in hashes if hash not in live]):
            with writing(engine) as connection:
                content.hold_alone(connection)
                live.mark(connection)
                garbage = [hash for hash in batch if hash not in live]
                yield connection.execute(delete(content_table).where(content_table.c.hash.in_(garbage))).rowcount


class _Live:
    """The hashes of content that something refers to, kept up with what hosts report and people pin or judge."""

    def __init__(self) -> None:
        self._hashes: set[str] = set()
        self._seen: dict[str, datetime | None] = {}  # host -> its last report that was marked
        self._judged: set[str] = set()  # roots that outcomes are about

    def __contains__(self, hash: str) -> bool:
        return hash in self._hashes

    def mark(self, connection: Connection) -> None:
        """Add what is referred to and was not when this was last asked.

        A host's reports come one after the other, and each interval of a section begins after the last report.
        """
        roots, sections = set[str](), set[str]()
        for host_id, root, seen_at in connection.execute(select(host.c.id, host.c.root, host.c.seen_at)).all():
            since = self._seen.get(host_id)
            if root is None or seen_at == since:
                continue
            roots.add(root)
            newer = [] if since is None else [section_history.c.first_seen > since]
            sections.update(
                connection.scalars(
                    select(section_history.c.hash).where(section_history.c.host_id == host_id, *newer).distinct()
                )
            )
            self._seen[host_id] = seen_at
        sections.update(connection.scalars(select(baseline_section.c.hash).distinct()))
        judged = set(connection.scalars(select(outcome.c.root).distinct())) - self._judged
        self._judged |= judged
        roots |= judged
        for batch in batches(sorted(judged)):
            sections.update(hash for tree in content.trees(connection, batch).values() for hash in tree.values())
        self._add(connection, roots, "parts")
        self._add(connection, sections, "pages")

    def _add(self, connection: Connection, hashes: set[str], name: str) -> None:
        """Add objects, and those that a field of them refers to."""
        for batch in batches(sorted(hashes - self._hashes)):
            for body in content.load(connection, batch).values():
                self._hashes.update(body.get(name, ()))
            self._hashes.update(batch)
