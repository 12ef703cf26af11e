"""Tests of who runs a job: each slot once, a lease that ends, and what is remembered of runs."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete, select

from envparity_server.storage import jobs
from envparity_server.storage.database import reading, writing
from envparity_server.storage.tables import job, job_run
from tests.server.making import NOON

HOUR, LEASE = timedelta(hours=1), timedelta(minutes=5)


def claimed(engine: Engine, holder: str, after: timedelta = timedelta(0)) -> object:
    with writing(engine) as connection:
        return jobs.claim(connection, "tags", HOUR, holder, LEASE, NOON + after)


def test_a_new_job_is_due_at_once_and_then_at_its_next_slot(database: Engine) -> None:
    assert claimed(database, "one") == NOON
    with writing(database) as connection:
        jobs.finish(connection, "tags", NOON, "one", None, NOON + LEASE)
    assert claimed(database, "one", HOUR - timedelta(seconds=1)) is None
    assert claimed(database, "two", HOUR) == NOON + HOUR


def test_slots_that_nobody_was_there_for_are_one_run(database: Engine) -> None:
    claimed(database, "one")
    with writing(database) as connection:
        jobs.finish(connection, "tags", NOON, "one", None, NOON)
    assert claimed(database, "one", timedelta(hours=7, minutes=30)) == NOON + HOUR
    with reading(database) as connection:
        assert connection.scalar(select(job.c.due_at)) == NOON + 8 * HOUR


def test_of_eight_processes_at_once_one_gets_the_slot(database: Engine) -> None:
    together = Barrier(8)

    def ask(holder: str) -> object:
        together.wait()
        return claimed(database, holder)

    with ThreadPoolExecutor(8) as pool:
        got = [slot for slot in pool.map(ask, "abcdefgh") if slot]
    assert got == [NOON]
    with reading(database) as connection:
        assert len(connection.execute(select(job_run)).all()) == 1


def test_the_lease_of_a_killed_holder_ends_and_the_next_slot_runs(database: Engine) -> None:
    claimed(database, "killed")
    minute = timedelta(minutes=1)
    with writing(database) as connection:
        jobs.renew(connection, "tags", "killed", NOON + HOUR + minute)
        jobs.renew(connection, "tags", "a stranger", NOON + 9 * HOUR)
    assert claimed(database, "other", HOUR) is None
    assert claimed(database, "other", HOUR + minute) == NOON + HOUR
    with reading(database) as connection:
        first, second = connection.execute(select(job_run).order_by(job_run.c.due_at)).all()
    assert (first.problem, second.holder, second.ended_at) == (jobs.LAPSED, "other", None)


def test_whose_lease_ended_does_not_let_go_of_anothers_job(database: Engine) -> None:
    claimed(database, "slow")
    claimed(database, "other", HOUR)
    with writing(database) as connection:
        jobs.finish(connection, "tags", NOON, "slow", None, NOON + HOUR)
    with reading(database) as connection:
        assert connection.scalar(select(job.c.holder)) == "other"


def test_the_state_of_a_job_is_that_of_its_last_run_that_ended(database: Engine) -> None:
    claimed(database, "one")
    with writing(database) as connection:
        jobs.finish(connection, "tags", NOON, "one", "no answer", NOON + LEASE)
    claimed(database, "two", HOUR)
    with reading(database) as connection:
        [state] = jobs.states(connection)
    assert (state.holder, state.ended_at, state.problem) == ("two", NOON + LEASE, "no answer")
    assert state.due_at == NOON + 2 * HOUR


def test_runs_of_long_ago_are_forgotten(database: Engine) -> None:
    claimed(database, "one")
    with writing(database) as connection:
        jobs.finish(connection, "tags", NOON, "one", None, NOON)
    slot = claimed(database, "one", jobs.KEPT + 2 * HOUR)
    with writing(database) as connection:
        jobs.finish(connection, "tags", slot, "one", None, NOON + jobs.KEPT + 2 * HOUR)  # type: ignore[arg-type]
        assert connection.scalars(select(job_run.c.due_at)).all() == [NOON + HOUR]


@settings(settings.get_profile("short"), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 90), st.booleans()), max_size=30))
def test_no_two_hold_a_job_and_no_slot_is_given_twice(sqlite: Engine, steps: list[tuple[str, int, bool]]) -> None:
    """Processes that look, end or are killed in any order: against a model of who holds the job until when."""
    passed, held, until, slots = timedelta(0), None, timedelta(0), []
    for holder, minutes, ends in steps:
        passed += timedelta(minutes=minutes)
        slot = claimed(sqlite, holder, passed)
        if slot is None:
            continue
        assert held is None or until <= passed
        slots.append(slot)
        held, until = holder, passed + LEASE
        if ends:
            with writing(sqlite) as connection:
                jobs.finish(connection, "tags", slot, holder, None, NOON + passed)  # type: ignore[arg-type]
            held = None
    assert len(set(slots)) == len(slots)
    with writing(sqlite) as connection:
        connection.execute(delete(job_run))
        connection.execute(delete(job))
