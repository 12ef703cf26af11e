"""Tests of the scheduler: jobs run once among processes, failures are told, and nothing holds up the end."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, Row, select

from envparity_agent.errors import CannotTell
from envparity_server.jobs import JOBS, Job, Jobs
from envparity_server.settings import ServerSettings
from envparity_server.storage import hosts
from envparity_server.storage.database import open_database, reading, writing
from envparity_server.storage.tables import job_run
from tests.server.fleet import report, reported
from tests.server.making import NOON, OPERATING_SYSTEM, host, packages
from tests.server.notify.drifting import channel_in
from tests.server.notify.receivers import LOOPBACK, http_receiver
from tests.server.waiting import LONGEST, until

SETTINGS = ServerSettings.model_construct()
SOON = timedelta(milliseconds=20)
MINUTE = timedelta(minutes=1)


@contextmanager
def running(engine: Engine, *jobs: Job) -> Iterator[Jobs]:
    """One process's jobs, on connections of its own."""
    started = Jobs(engine, SETTINGS, jobs, poll=SOON)
    started.start()
    try:
        yield started
    finally:
        started.stop(LONGEST)


def runs(engine: Engine, name: str) -> list[Row[tuple[object, ...]]]:
    """What is remembered of a job's runs that ended."""
    with reading(engine) as connection:
        mine = select(job_run).where(job_run.c.job == name, job_run.c.ended_at.is_not(None))
        return list(connection.execute(mine.order_by(job_run.c.due_at)).all())


def test_of_many_processes_one_runs_each_slot(database: Engine) -> None:
    ran: list[datetime] = []
    once = Job("once", timedelta(days=1), lambda _engine, _settings, now: ran.append(now))
    often = Job("often", timedelta(milliseconds=50), lambda *_: None)
    with ExitStack() as stack:
        engines = [open_database(database.url.render_as_string(hide_password=False)) for _ in range(3)]
        for engine in engines:
            stack.callback(engine.dispose)
            stack.enter_context(running(engine, once, often))
        until(lambda: len(runs(database, "often")) >= 10 and runs(database, "once"))
    assert len(ran) == 1
    assert all(one.problem is None for one in runs(database, "often"))


@pytest.mark.parametrize(
    ("error", "told"),
    [(CannotTell("the registry is away"), "the registry is away"), (KeyError("secret"), "KeyError: ")],
)
def test_a_job_that_fails_is_told_and_its_next_slot_comes(sqlite: Engine, error: Exception, told: str) -> None:
    def fail(*_: object) -> None:
        raise error

    with running(sqlite, Job("failing", timedelta(milliseconds=50), fail)):
        until(lambda: len(runs(sqlite, "failing")) >= 2)
    for one in runs(sqlite, "failing"):
        assert one.problem.startswith(told)
        assert "secret" not in one.problem


def test_a_job_that_hangs_holds_up_neither_the_others_nor_the_end(sqlite: Engine) -> None:
    hanging, begun = threading.Event(), threading.Event()

    def hang(*_: object) -> None:
        begun.set()
        hanging.wait(LONGEST)

    started = Jobs(
        sqlite, SETTINGS, [Job("hangs", timedelta(days=1), hang), Job("runs", SOON, lambda *_: None)], poll=SOON
    )
    started.start()
    assert begun.wait(LONGEST)
    until(lambda: len(runs(sqlite, "runs")) >= 2)
    started.stop(longest=0.1)
    assert runs(sqlite, "hangs") == []
    assert [thread.daemon for thread in threading.enumerate() if thread.name == "job-Jobs._look"] == [True]
    hanging.set()
    until(lambda: runs(sqlite, "hangs"))


def test_a_job_that_lasts_beyond_its_lease_keeps_it(sqlite: Engine) -> None:
    at_once, most, lock = [0], [0], threading.Lock()
    finish = threading.Event()

    def last(*_: object) -> None:
        with lock:
            at_once[0] += 1
            most[0] = max(most[0], at_once[0])
        finish.wait(LONGEST)
        with lock:
            at_once[0] -= 1

    ticks = Job("ticks", SOON, lambda *_: None)
    lease = timedelta(milliseconds=500)
    lasting = Job("lasting", timedelta(milliseconds=50), last, lease)
    both = [Jobs(sqlite, SETTINGS, [lasting, ticks], poll=SOON) for _ in range(2)]
    for one in both:
        one.start()
    until(
        lambda: (
            runs(sqlite, "ticks") and runs(sqlite, "ticks")[-1].ended_at - runs(sqlite, "ticks")[0].due_at > 3 * lease
        )
    )
    finish.set()
    for one in both:
        one.stop(LONGEST)
    assert most == [1]


def test_a_database_that_is_away_ends_no_scheduler(sqlite_url: str) -> None:
    engine = open_database(sqlite_url + "-not-there/at/all")
    looked = threading.Event()

    class Watched(Jobs):
        def _look(self, job: Job) -> None:
            super()._look(job)
            looked.set()

    started = Watched(engine, SETTINGS, [Job("any", SOON, lambda *_: None)], poll=SOON)
    started.start()
    for _ in range(2):
        assert looked.wait(LONGEST)
        looked.clear()
    started.stop(LONGEST)
    engine.dispose()


def test_every_job_of_the_server_has_a_name_of_its_own() -> None:
    assert len({job.name for job in JOBS}) == len(JOBS)


def test_the_jobs_of_the_server_find_a_drift_tell_it_and_forget_what_is_old(database: Engine) -> None:
    run = {job.name: job.run for job in JOBS}
    plain = host(OPERATING_SYSTEM, packages({"requests": "2.32.3"}))
    other = host(OPERATING_SYSTEM, packages({"requests": "2.31.0"}))
    with http_receiver() as receiver:
        settings = ServerSettings.model_construct(webhook_networks=LOOPBACK, settle=0, keep_days=1)
        with writing(database) as connection:
            fleet = {name: reported(connection, name, plain, NOON) for name in ("web-1", "web-2", "web-3")}
            channel_in(connection, address=receiver.url)
        run["evaluate"](database, settings, NOON + MINUTE)  # what was there from the beginning is no news
        for minutes in (5, 10):
            with writing(database) as connection:
                for name, one in fleet.items():
                    found = other if name == "web-3" else plain
                    report(connection, one, found, NOON + minutes * MINUTE)
            run["evaluate"](database, settings, NOON + (minutes + 1) * MINUTE)
        run["deliver"](database, settings, NOON + 12 * MINUTE)
        [told] = receiver.got
    assert b"requests" in told.body
    run["prune"](database, settings, NOON + timedelta(minutes=20))
    with reading(database) as connection:
        assert {one.root for one in hosts.all_hosts(connection)} == {plain.root, other.root}
