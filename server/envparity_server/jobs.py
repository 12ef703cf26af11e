"""What the server does by itself: the list of jobs, and the scheduler that runs each due slot in one process only."""

import os
import secrets
import socket
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from apscheduler.executors.base import BaseExecutor, run_job
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from envparity_agent.errors import EnvparityError
from envparity_server import logs
from envparity_server.evaluation import compare_ahead, evaluate
from envparity_server.notify.queue import deliver_due, enqueue
from envparity_server.settings import ServerSettings
from envparity_server.storage import hosts, jobs
from envparity_server.storage.database import reading, writing
from envparity_server.storage.pruning import prune
from envparity_server.tags.asking import ask_due
from envparity_server.tags.registry import Limits

LEASE = timedelta(minutes=5)  # a job whose process was killed runs again after as long, at its next slot
POLL = timedelta(seconds=10)  # how often a process looks whether a job is due
LONGEST_STOP = 8.0  # seconds that a process waits for its jobs at its end

_log = logs.logger(__name__)


@dataclass(frozen=True)
class Job:
    """Something that is done at an interval. It may be repeated and cut short: what it does is done in transactions."""

    name: str
    every: timedelta
    run: Callable[[Engine, ServerSettings, datetime], object]
    lease: timedelta = LEASE


def _evaluate(engine: Engine, settings: ServerSettings, now: datetime) -> None:
    """Find what drifted, and what is to be told of it, at once: what is found is told, whoever is killed when.

    A transaction for each environment, and comparing before it, so that reports need not wait for the whole fleet.
    """
    with reading(engine) as connection:
        environments = hosts.environments(connection)
    for one in environments:
        with reading(engine) as connection:
            ahead = compare_ahead(connection, now, one)
        with writing(engine) as connection:
            transitions = evaluate(connection, now, timedelta(seconds=settings.settle), [one], ahead)
            enqueue(connection, transitions, now, settings.public_url)


def _ask_tags(engine: Engine, settings: ServerSettings, now: datetime) -> None:
    ask_due(engine, now, settings.registries, Limits(settings.webhook_networks))


def _retire(engine: Engine, _: ServerSettings, now: datetime) -> None:
    with writing(engine) as connection:
        hosts.retire_expired(connection, now)


def _deliver(engine: Engine, settings: ServerSettings, now: datetime) -> None:
    deliver_due(engine, now, settings.webhook_networks)


def _prune(engine: Engine, settings: ServerSettings, now: datetime) -> None:
    prune(engine, now, *settings.kept)


JOBS: Sequence[Job] = (
    Job("retire", timedelta(minutes=15), _retire),
    Job("evaluate", timedelta(minutes=1), _evaluate),
    Job("deliver", timedelta(seconds=15), _deliver),
    Job("tags", timedelta(minutes=5), _ask_tags),
    Job("prune", timedelta(days=1), _prune),
)


class Jobs:
    """The jobs of one process, from `start` to `stop`."""

    def __init__(
        self,
        engine: Engine,
        settings: ServerSettings,
        jobs: Sequence[Job] = JOBS,
        poll: timedelta = POLL,
    ) -> None:
        self.holder = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self._engine, self._settings = engine, settings
        self._running: set[str] = set()
        self._executor = _Threads()
        self._scheduler = BackgroundScheduler(timezone=UTC, executors={"default": self._executor})
        for job in jobs:
            self._every(min(poll, job.every), self._look, job)
            self._every(job.lease / 5, self._renew, job)

    def _every(self, interval: timedelta, action: Callable[..., None], *arguments: object) -> None:
        trigger = IntervalTrigger(seconds=interval.total_seconds(), jitter=interval.total_seconds() / 10, timezone=UTC)
        self._scheduler.add_job(
            action, trigger, arguments, coalesce=True, max_instances=1, misfire_grace_time=None,
            next_run_time=datetime.now(UTC),
        )  # fmt: skip

    def start(self) -> None:
        """Begin to look for jobs that are due."""
        self._scheduler.start()

    def stop(self, longest: float = LONGEST_STOP) -> None:
        """Begin no other job, and wait for those that run, but not for ever: the lease of one that is left ends."""
        self._scheduler.shutdown(wait=False)
        self._executor.join(longest)
        if self._running:
            _log.warning("jobs_left", jobs=sorted(self._running))

    def _look(self, job: Job) -> None:
        """Run a job if it is due and nobody else has it."""
        try:
            slot = self._claimed(job)
            if slot is None:
                return
            self._running.add(job.name)
            try:
                problem = self._tried(job)
                with writing(self._engine) as connection:
                    jobs.finish(connection, job.name, slot, self.holder, problem, datetime.now(UTC))
            finally:
                self._running.discard(job.name)
        except SQLAlchemyError as problem:  # the database is away: the next look, or the end of the lease, mends it
            _log.warning("job_without_database", job=job.name, problem=type(problem).__name__)

    def _claimed(self, job: Job) -> datetime | None:
        now = datetime.now(UTC)
        with reading(self._engine) as connection:
            if not jobs.is_due(connection, job.name, now):
                return None
        with writing(self._engine) as connection:
            return jobs.claim(connection, job.name, job.every, self.holder, job.lease, now)

    def _tried(self, job: Job) -> str | None:
        """Run a job; returns what went wrong, in words that give nothing away: the log has the rest."""
        started = time.monotonic()
        try:
            job.run(self._engine, self._settings, datetime.now(UTC))
        except EnvparityError as problem:
            _log.error("job_failed", job=job.name, problem=str(problem), advice=problem.advice)
            return str(problem)
        except Exception as problem:  # noqa: BLE001  # whatever it is, the job's next slot comes
            _log.error("job_failed", job=job.name, exc_info=problem)
            return f"{type(problem).__name__}: the log of {self.holder} says more"
        _log.info("job_done", job=job.name, ms=round((time.monotonic() - started) * 1000))
        return None

    def _renew(self, job: Job) -> None:
        """Hold a job that runs for longer: its lease ends when this process does."""
        if job.name not in self._running:
            return
        now = datetime.now(UTC)
        try:
            with writing(self._engine) as connection:
                jobs.renew(connection, job.name, self.holder, now + job.lease)
        except SQLAlchemyError as problem:
            _log.warning("lease_not_renewed", job=job.name, problem=type(problem).__name__)


class _Threads(BaseExecutor):  # type: ignore[misc]  # APScheduler ships no types
    """A thread for each run, which no interpreter waits for at its end, as it does for those of a pool."""

    def __init__(self) -> None:
        super().__init__()
        self._threads: set[threading.Thread] = set()

    def _do_submit_job(self, job: Any, run_times: Sequence[datetime]) -> None:
        self._threads = {thread for thread in self._threads if thread.is_alive()}
        thread = threading.Thread(target=self._run, args=(job, run_times), name=f"job-{job.name}", daemon=True)
        self._threads.add(thread)
        thread.start()

    def _run(self, job: Any, run_times: Sequence[datetime]) -> None:
        self._run_job_success(job.id, run_job(job, "default", run_times, self._logger.name))

    def join(self, longest: float) -> None:
        """Wait for the threads, all in all no longer than so many seconds."""
        deadline = time.monotonic() + longest
        for thread in list(self._threads):
            thread.join(max(0.0, deadline - time.monotonic()))
