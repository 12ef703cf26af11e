"""Tests of the figures of drifts, on real databases: how many are open, and what lasted on whom when."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine

from envparity_server.compare.model import Severity
from envparity_server.storage import access, drift_figures
from envparity_server.storage.database import writing
from envparity_server.storage.drift_figures import Lasting
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
        assert drift_figures.opened(connection) == {}
        assert drift_figures.lasted(connection, fleet.now - DAY) == []


def test_a_drift_is_open_until_it_is_gone_and_its_days_are_remembered(fleet: Fleet) -> None:
    fleet.has("a", idna="3.7")
    fleet.passes()
    begun = fleet.now
    with writing(fleet.engine) as connection:
        opened = drift_figures.opened(connection)["prod"]
        assert (opened.severities, opened.since, opened.total) == ({Severity.MEDIUM: 1}, begun, 1)
        assert drift_figures.lasted(connection, begun) == [Lasting(id_of("a"), begun, None)]
    fleet.has("a", idna="3.4")
    fleet.passes()
    gone = fleet.now
    with writing(fleet.engine) as connection:
        assert drift_figures.lasted(connection, begun) == [Lasting(id_of("a"), begun, gone)]
    fleet.passes(8)
    with writing(fleet.engine) as connection:
        assert drift_figures.opened(connection) == {}
        assert drift_figures.lasted(connection, begun) == [Lasting(id_of("a"), begun, gone)]
        assert drift_figures.lasted(connection, gone + QUARTER) == []


def test_silence_is_a_drift_that_lasts(fleet: Fleet) -> None:
    fleet.passes(5, silent="e")
    with writing(fleet.engine) as connection:
        assert drift_figures.opened(connection)["prod"].total == 1
        assert [one.host_id for one in drift_figures.lasted(connection, fleet.now - DAY)] == [id_of("e")]


def test_only_what_somebody_sees_is_told(fleet: Fleet) -> None:
    fleet.has("a", idna="3.7")
    fleet.passes()
    dev = frozenset({"dev"})
    with writing(fleet.engine) as connection:
        assert drift_figures.opened(connection, dev) == {}
        assert drift_figures.lasted(connection, fleet.now - DAY, dev) == []
