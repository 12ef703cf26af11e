"""Tests that what was acknowledged is there, whenever the server is killed."""

from datetime import UTC, datetime

import pytest

from envparity_server import intake
from envparity_server.storage.database import open_database, writing
from tests.server.fleet import enrolled
from tests.server.killing import Reporter, lost_in
from tests.server.making import OPERATING_SYSTEM, host, packages

A, B = host(OPERATING_SYSTEM, packages({"idna": "3.4"})), host(OPERATING_SYSTEM, packages({"idna": "3.7"}))


def lost(url: str, cycles: int, hasty: bool = False) -> int:
    """How many reports of two hosts were acknowledged and lost."""
    engine = open_database(url)
    with writing(engine) as connection:
        objects = b"\n".join(body for one in (A, B) for body in one.objects().values())
        intake.store_objects(connection, objects, datetime.now(UTC))  # a server's jobs prune what waits for days
        reporters = [
            Reporter(enrolled(connection, name).id, f"credential of {name}", (A, B)) for name in ("web-1", "web-2")
        ]
    try:
        return lost_in(cycles, engine, url, reporters, hasty)
    finally:
        engine.dispose()


def test_no_report_is_lost_that_was_acknowledged(sqlite_url: str) -> None:
    assert lost(sqlite_url, cycles=20) == 0


@pytest.mark.long
def test_no_report_is_lost_in_many_cycles(sqlite_url: str) -> None:
    assert lost(sqlite_url, cycles=200) == 0


def test_a_server_that_acknowledges_before_it_commits_is_found(sqlite_url: str) -> None:
    assert lost(sqlite_url, cycles=5, hasty=True) > 0
