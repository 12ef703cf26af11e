"""Tests of which root a host had when."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine

from envparity_agent.fingerprint import Fingerprint
from envparity_server.storage import history
from envparity_server.storage.database import writing
from tests.server.fleet import enrolled, report
from tests.server.making import NOON, host, packages, tree

A, B = host(packages({"idna": "3.4"})), host(packages({"idna": "3.7"}))
HOUR = timedelta(hours=1)


def lived(engine: Engine, *roots: Fingerprint) -> str:
    """A host that reported these, one each hour from noon."""
    with writing(engine) as connection:
        one = enrolled(connection, "web-1")
        for number, fingerprint in enumerate(roots):
            report(connection, one, fingerprint, NOON + number * HOUR)
    return one.id


def test_there_and_back_again_is_three_intervals(database: Engine) -> None:
    host_id = lived(database, A, A, B, A)
    with writing(database) as connection:
        found = history.intervals(connection, host_id)
    assert [(one.root, one.first_seen, one.last_seen) for one in found] == [
        (A.root, NOON + 3 * HOUR, None),
        (B.root, NOON + 2 * HOUR, NOON + 2 * HOUR),
        (A.root, NOON, NOON + HOUR),
    ]


def test_reports_of_the_same_root_are_one_interval(database: Engine) -> None:
    host_id = lived(database, A, A, A)
    with writing(database) as connection:
        assert [(one.first_seen, one.last_seen) for one in history.intervals(connection, host_id)] == [(NOON, None)]


def test_a_host_that_never_reported_has_no_history(database: Engine) -> None:
    host_id = lived(database)
    with writing(database) as connection:
        assert history.intervals(connection, host_id) == []
        assert history.at(connection, [host_id], NOON) == {}


def test_the_newest_intervals_come_first_and_are_limited(database: Engine) -> None:
    host_id = lived(database, A, B, A, B)
    with writing(database) as connection:
        assert [one.root for one in history.intervals(connection, host_id, limit=2)] == [B.root, A.root]


@pytest.mark.parametrize(
    ("hours", "expected"),
    [(-0.1, None), (0, A), (0.5, A), (1, A), (1.5, A), (2, B), (2.5, B), (3, A), (99, A)],
)
def test_a_moment_has_the_root_of_its_interval_or_of_the_last_one_before(
    database: Engine, hours: float, expected: Fingerprint | None
) -> None:
    host_id = lived(database, A, A, B, A)
    with writing(database) as connection:
        found = history.at(connection, [host_id], NOON + hours * HOUR).get(host_id)
    assert (found.interval.root if found else None) == (expected.root if expected else None)
    assert (found.sections if found else None) == (tree(expected) if expected else None)


def test_the_histories_of_two_hosts_are_apart(database: Engine) -> None:
    with writing(database) as connection:
        one, other = enrolled(connection, "web-1"), enrolled(connection, "web-2")
        report(connection, one, A, NOON)
        report(connection, other, B, NOON)
        report(connection, one, B, NOON + HOUR)
        assert [found.root for found in history.intervals(connection, other.id)] == [B.root]
        assert [found.last_seen for found in history.intervals(connection, other.id)] == [None]


@pytest.mark.parametrize("step", [timedelta(0), timedelta(hours=-1)], ids=["stands still", "steps back"])
def test_a_clock_of_the_server_that_steps_back_mixes_up_no_interval(database: Engine, step: timedelta) -> None:
    with writing(database) as connection:
        one = enrolled(connection, "web-1")
        report(connection, one, A, NOON)
        after = report(connection, one, B, NOON + step)
        found = history.intervals(connection, one.id)
        assert [(interval.root, interval.last_seen is None) for interval in found] == [(B.root, True), (A.root, False)]
        assert all(interval.last_seen is None or interval.first_seen <= interval.last_seen for interval in found)
        assert history.at(connection, [one.id], NOON + HOUR)[one.id].interval == found[0]
        assert after.seen_at is not None
        assert after.seen_at >= NOON
