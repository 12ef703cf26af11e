"""Tests of deciding about baselines at once, and of what one was the reference at a moment."""

from contextlib import suppress
from datetime import timedelta
from threading import Thread

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete, func, select
from sqlalchemy.exc import IntegrityError

from envparity_server.storage import baselines
from envparity_server.storage.baselines import Pinned
from envparity_server.storage.database import reading, writing
from envparity_server.storage.tables import baseline, baseline_section, baseline_version
from tests.server.making import NOON

MINUTE = timedelta(minutes=1)
PINNED = Pinned("env:prod", "environment", NOON.isoformat(), "a test")
SECTIONS = {"os": "0" * 64}


def propose(engine: Engine, reason: str = "a test", name: str = "shop") -> int:
    """Add a version."""
    pinned = Pinned("env:prod", "environment", NOON.isoformat(), reason)
    with writing(engine) as connection:
        return baselines.propose(connection, name, "env:prod", "prod", pinned, SECTIONS, "ada", NOON)


def at_once(*what: object) -> None:
    """Run several things at the same time."""
    threads = [Thread(target=one) for one in what]  # type: ignore[arg-type]  # all are callable
    for one in threads:
        one.start()
    for one in threads:
        one.join()


def test_two_who_propose_at_once_have_a_version_each(database: Engine) -> None:
    propose(database)
    at_once(*(lambda reason=reason: propose(database, reason) for reason in "abcd"))
    with reading(database) as connection:
        assert [one.number for one in baselines.versions(connection, ["shop"])] == [5, 4, 3, 2, 1]
        assert baselines.named(connection, "shop").newest == 5


def test_of_two_who_approve_at_once_one_does(database: Engine) -> None:
    propose(database)
    outcomes: list[bool] = []

    def approve() -> None:
        with writing(database) as connection:
            outcomes.append(baselines.approve(connection, "shop", 1, "ada", NOON))

    at_once(approve, approve, approve)
    assert sorted(outcomes) == [False, False, True]


def test_proposing_while_it_is_removed_leaves_no_orphan(database: Engine) -> None:
    propose(database)

    def remove() -> None:
        with writing(database) as connection:
            for newest in range(1, 9):
                baselines.remove(connection, "shop", newest)

    def again() -> None:
        with suppress(IntegrityError):  # another one made it anew at the same time
            propose(database, "another")

    at_once(again, remove, again)
    with reading(database) as connection:
        numbers = {one.number for one in baselines.versions(connection, ["shop"])}
        here = {(row.name, row.number) for row in connection.execute(select(baseline_section))}
        assert here == {("shop", number) for number in numbers}
        known = [one.name for one in baselines.every(connection)]
        assert bool(numbers) == (known == ["shop"])


def test_what_was_the_reference_at_a_moment_is_what_had_been_approved_by_then(database: Engine) -> None:
    propose(database)
    with writing(database) as connection:
        baselines.approve(connection, "shop", 1, "ada", NOON)
    propose(database, "another")
    with writing(database) as connection:
        baselines.approve(connection, "shop", 2, "ada", NOON + 2 * MINUTE)
        baselines.withdraw(connection, "shop", 2, "ada", NOON + 4 * MINUTE)
        one, all_versions = baselines.named(connection, "shop"), baselines.versions(connection, ["shop"])

    def then(minutes: int) -> int | None:
        found = baselines.reference(one, all_versions, NOON + minutes * MINUTE)
        return found.number if found else None

    assert [then(minutes) for minutes in (-1, 0, 1, 2, 3, 4, 5)] == [None, 1, 1, 2, 2, None, None]
    assert baselines.reference(one, all_versions) is None


steps = st.lists(st.tuples(st.sampled_from(["propose", "approve", "withdraw"]), st.integers(1, 4)), max_size=12)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(steps)
def test_only_the_newest_undecided_version_becomes_the_reference(sqlite: Engine, steps: list[tuple[str, int]]) -> None:
    newest, approved = 0, None
    decided: set[int] = set()
    with writing(sqlite) as connection:
        connection.execute(delete(baseline))  # of the example before
        for number_of_step, (step, number) in enumerate(steps):
            if step == "propose":
                pinned = Pinned("env:prod", "environment", "", str(number_of_step))
                newest = baselines.propose(connection, "shop", "env:prod", "prod", pinned, SECTIONS, "ada", NOON)
            elif step == "approve":
                may = number == newest and number not in decided
                nested = connection.begin_nested()
                assert baselines.approve(connection, "shop", number, "ada", NOON) == may
                (nested.commit if may else nested.rollback)()
                approved = number if may else approved
                decided |= {number} if may else set()
            else:
                may = number == approved or (number <= newest and number not in decided)
                assert baselines.withdraw(connection, "shop", number, "ada", NOON) == may
                approved = None if number == approved else approved
                decided |= {number} if may else set()
            if newest:
                assert baselines.named(connection, "shop").approved == approved
        assert connection.scalar(select(func.count()).select_from(baseline_version)) == newest
