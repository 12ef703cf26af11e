"""Which process runs a job when: a row a job says when it is due and who holds it, a row a run what became of it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, delete, func, insert, or_, select, update

from envparity_server.storage.tables import job, job_run
from envparity_server.storage.upserts import adding

KEPT = timedelta(days=7)  # runs are remembered as long
LAPSED = "its process ended without a word"


@dataclass(frozen=True)
class JobState:
    """A job as everybody sees it: when it is due, who runs it until when, and how its last run that ended went."""

    name: str
    due_at: datetime
    holder: str | None
    held_until: datetime | None
    ended_at: datetime | None
    problem: str | None


def claim(
    connection: Connection, name: str, every: timedelta, holder: str, lease: timedelta, now: datetime
) -> datetime | None:
    """Take the due slot of a job; returns the slot, None where it is not due or somebody else's.

    1. A job that nobody knows yet is due now.
    2. One statement moves the job on to its next slot and takes it, if nobody did so since it was read: of many
       processes exactly one gets a slot, and slots that nobody was there for are one.
    3. A run that its holder left without a word, which is what an ended lease means, is told so.
    """
    _know(connection, name, now)
    due_at: datetime | None = connection.scalar(select(job.c.due_at).where(job.c.name == name, _free(now)))
    if due_at is None or due_at > now:
        return None
    following = due_at + every * ((now - due_at) // every + 1)
    taken = connection.execute(
        update(job)
        .where(job.c.name == name, job.c.due_at == due_at, _free(now))
        .values(due_at=following, holder=holder, held_until=now + lease)
    )
    if taken.rowcount != 1:
        return None
    unended = update(job_run).where(job_run.c.job == name, job_run.c.ended_at.is_(None))
    connection.execute(unended.values(ended_at=now, problem=LAPSED))
    connection.execute(insert(job_run).values(job=name, due_at=due_at, holder=holder, started_at=now))
    return due_at


def _know(connection: Connection, name: str, now: datetime) -> None:
    connection.execute(adding(connection, job).values(name=name, due_at=now))


def _free(now: datetime) -> ColumnElement[bool]:
    return or_(job.c.holder.is_(None), job.c.held_until <= now)


def is_due(connection: Connection, name: str, now: datetime) -> bool:
    """Whether a claim could succeed: asked first, so that waiting processes take no write lock."""
    row = connection.execute(select(job.c.due_at, job.c.held_until).where(job.c.name == name)).one_or_none()
    return row is None or (row.due_at <= now and (row.held_until is None or row.held_until <= now))


def renew(connection: Connection, name: str, holder: str, held_until: datetime) -> None:
    """Hold a job that is still running for longer."""
    held = update(job).where(job.c.name == name, job.c.holder == holder)
    connection.execute(held.values(held_until=held_until))


def finish(
    connection: Connection, name: str, slot: datetime, holder: str, problem: str | None, now: datetime
) -> None:  # fmt: skip
    """Tell how a run ended, let go of its job, and forget runs of long ago."""
    this = (job_run.c.job == name, job_run.c.due_at == slot, job_run.c.holder == holder)
    connection.execute(update(job_run).where(*this).values(ended_at=now, problem=problem))
    connection.execute(
        update(job).where(job.c.name == name, job.c.holder == holder).values(holder=None, held_until=None)
    )
    connection.execute(delete(job_run).where(job_run.c.job == name, job_run.c.ended_at < now - KEPT))


def states(connection: Connection) -> list[JobState]:
    """Every job that ever ran, by name."""
    newest = (
        select(job_run.c.job, func.max(job_run.c.due_at).label("due_at"))
        .where(job_run.c.ended_at.is_not(None))
        .group_by(job_run.c.job)
        .subquery()
    )
    run = (
        select(job_run).join(newest, (job_run.c.job == newest.c.job) & (job_run.c.due_at == newest.c.due_at)).subquery()
    )
    query = select(job, run.c.ended_at, run.c.problem).outerjoin(run, run.c.job == job.c.name).order_by(job.c.name)
    return [JobState(**row._mapping) for row in connection.execute(query)]
