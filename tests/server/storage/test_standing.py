"""Tests of how the fleet stands, on real databases: who drifts, what is open, and what lasted when."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine

from envparity_server.compare.model import Severity
from envparity_server.storage import access, standing
from envparity_server.storage.database import writing
from envparity_server.storage.standing import Lasting
from tests.server.test_evaluation import QUARTER, Fleet

DAY = timedelta(days=1)
NAMES = ("a", "b", "c", "d", "e")


def id_of(name: str) -> str:
    """The id of a host of the fleet."""
    return access.hashed(name)[:16]


@pytest.fixture
def fleet(database: Engine) -> Fleet:
    """Five hosts that are alike, and were looked at."""
    fleet = Fleet(database)
    fleet.has(*NAMES)
    fleet.passes(2)
    return fleet


def test_a_fleet_in_parity_has_nothing_open(fleet: Fleet) -> None:
    with writing(fleet.engine) as connection:
        assert standing.drifting(connection) == set()
        assert standing.open_drifts(connection) == {}
        assert standing.lasted(connection, fleet.now - DAY) == []


def test_a_drift_is_open_until_it_is_gone_and_its_days_are_remembered(fleet: Fleet) -> None:
    fleet.has("a", idna="3.7")
    fleet.passes()
    begun = fleet.now
    with writing(fleet.engine) as connection:
        assert standing.drifting(connection) == {id_of("a")}
        opened = standing.open_drifts(connection)["prod"]
        assert (opened.severities, opened.since, opened.total) == ({Severity.MEDIUM: 1}, begun, 1)
        assert standing.lasted(connection, begun) == [Lasting(id_of("a"), begun, None)]
    fleet.has("a", idna="3.4")
    fleet.passes()
    gone = fleet.now
    with writing(fleet.engine) as connection:
        assert standing.drifting(connection) == set()
        assert standing.lasted(connection, begun) == [Lasting(id_of("a"), begun, gone)]
    fleet.passes(8)
    with writing(fleet.engine) as connection:
        assert standing.open_drifts(connection) == {}
        assert standing.lasted(connection, begun) == [Lasting(id_of("a"), begun, gone)]
        assert standing.lasted(connection, gone + QUARTER) == []


def test_a_silent_host_is_not_in_drift_and_not_in_parity(fleet: Fleet) -> None:
    fleet.passes(5, silent="e")
    with writing(fleet.engine) as connection:
        assert standing.drifting(connection) == set()
        assert standing.open_drifts(connection)["prod"].total == 1
        assert [one.host_id for one in standing.lasted(connection, fleet.now - DAY)] == [id_of("e")]


def test_only_what_somebody_sees_is_told(fleet: Fleet) -> None:
    fleet.has("a", idna="3.7")
    fleet.passes()
    dev = frozenset({"dev"})
    with writing(fleet.engine) as connection:
        assert standing.drifting(connection, dev) == set()
        assert standing.open_drifts(connection, dev) == {}
        assert standing.lasted(connection, fleet.now - DAY, dev) == []
        assert standing.drifting(connection, frozenset({"prod"})) == {id_of("a")}
