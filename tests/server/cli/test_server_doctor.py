"""Tests of `envparity server doctor`: what it finds, and how it ends."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, text

from envparity_server.cli.server_doctor import examine
from envparity_server.storage import audit, jobs
from envparity_server.storage.actors import Actor, Role
from envparity_server.storage.database import writing
from tests.server.cli.running import envparity
from tests.server.fleet import reported
from tests.server.making import NOON, OPERATING_SYSTEM, host

ROOT = Actor("local:root", Role.ADMIN)


def well(connection: Connection) -> None:
    """A server with which all is well at noon."""
    reported(connection, "web-1", host(OPERATING_SYSTEM), NOON)
    audit.write(connection, ROOT, "server.backup", "/backup", NOON)
    slot = jobs.claim(connection, "tags", timedelta(hours=1), "one", timedelta(minutes=5), NOON)
    assert slot == NOON
    jobs.finish(connection, "tags", slot, "one", None, NOON)


def wrong(engine: Engine, after: timedelta = timedelta(minutes=1)) -> dict[str, str]:
    """What is not as it should be, by its name."""
    return {one.name: one.words for one in examine(engine, NOON + after) if not one.good and one.name != "disk"}


def test_all_is_well(database: Engine) -> None:
    with writing(database) as connection:
        well(connection)
    assert wrong(database) == {}


def failed(connection: Connection) -> None:
    """The job runs an hour later and fails."""
    hour = timedelta(hours=1)
    slot = jobs.claim(connection, "tags", hour, "one", timedelta(minutes=5), NOON + hour)
    assert slot
    jobs.finish(connection, "tags", slot, "one", "no answer", NOON + hour)


def skewed(connection: Connection) -> None:
    """The host's clock is off."""
    connection.execute(text("UPDATE host SET skew = -4000"))


@pytest.mark.parametrize(
    ("do", "after", "name", "words"),
    [
        (lambda _: None, timedelta(hours=2), "job tags", "is due since 2026-11-01 13:00 UTC"),
        (lambda _: None, timedelta(hours=2), "hosts", "1 stale"),
        (lambda _: None, timedelta(days=8), "backup", "the last one is 8 days old"),
        (lambda _: None, -timedelta(hours=1), "clock", "this machine's clock says 2026-11-01 11:00"),
        (failed, timedelta(minutes=70), "job tags", "no answer"),
        (skewed, timedelta(minutes=1), "clocks of hosts", "1 hosts have a clock"),
    ],
)
def test_what_is_wrong_is_told(
    sqlite: Engine, do: Callable[[Connection], object], after: timedelta, name: str, words: str
) -> None:
    with writing(sqlite) as connection:
        well(connection)
        do(connection)
    assert wrong(sqlite, after)[name].startswith(words)


def test_a_new_server_was_never_backed_up_and_its_jobs_never_ran(database: Engine) -> None:
    assert wrong(database) == {"backup": "there never was one", "jobs": "none ever ran"}


def test_the_exit_code_says_how_it_is(tmp_path: Path, sqlite_url: str) -> None:
    sick = envparity(tmp_path, "server", "doctor", ENVPARITY_DATABASE_URL=sqlite_url)
    assert sick.exit_code == 1
    assert "envparity server backup FILE" in sick.output
    gone = envparity(tmp_path, "server", "doctor", ENVPARITY_DATABASE_URL="sqlite:////nowhere/server.db")
    assert gone.exit_code == 3
    told = envparity(tmp_path, "server", "doctor", "--json", ENVPARITY_DATABASE_URL=sqlite_url)
    assert told.exit_code == 1
    looked_at = {one["name"] for one in told.document["findings"]}
    assert looked_at >= {"schema", "database", "disk", "clock", "hosts", "backup"}
