"""Tests of `envparity server doctor`: what it finds, and how it ends."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, insert, text

from envparity_server.cli.server_doctor import Health, examine
from envparity_server.storage import audit
from envparity_server.storage.database import migrate, open_database, writing
from envparity_server.storage.tables import channel, delivery, job, job_run
from tests.server.cli.running import envparity
from tests.server.fleet import reported
from tests.server.making import NOON, OPERATING_SYSTEM, host

HOUR = timedelta(hours=1)


def well(connection: Connection) -> None:
    """A server with which all is well at noon."""
    reported(connection, "web-1", host(OPERATING_SYSTEM), NOON)
    audit.write(connection, "local:root", "server.backup", "/backup", NOON)
    connection.execute(insert(job).values(name="tags", due_at=NOON + HOUR))
    connection.execute(insert(job_run).values(job="tags", due_at=NOON, holder="a", started_at=NOON, ended_at=NOON))


def found(engine: Engine, after: timedelta = timedelta(minutes=1)) -> dict[str, tuple[Health, str]]:
    """What is not as it should be, by its check; the disk is this machine's."""
    return {
        one.check: (one.health, one.words)
        for one in examine(engine, NOON + after)
        if one.health in (Health.WRONG, Health.UNKNOWN) and one.check != "disk"
    }


def test_all_is_well(database: Engine) -> None:
    with writing(database) as connection:
        well(connection)
    assert found(database) == {}


def job_failed(connection: Connection) -> None:
    """The last run of the job failed."""
    connection.execute(text("UPDATE job_run SET problem = 'no answer'"))


def skewed(connection: Connection) -> None:
    """The host's clock is off."""
    connection.execute(text("UPDATE host SET skew = -4000"))


def gave_up(connection: Connection) -> None:
    """A notification that nobody tries to send any more."""
    connection.execute(
        insert(channel).values(
            name="ops", kind="webhook", address="https://example.org", secret="", hosts="", severity=0, enabled=True,
            created_by="tests", created_at=NOON,
        )
    )  # fmt: skip
    connection.execute(
        insert(delivery).values(id="a", channel="ops", event="new", title="", body={}, made_at=NOON, tries=9)
    )


@pytest.mark.parametrize(
    ("do", "after", "check", "words"),
    [
        (lambda _: None, 2 * HOUR, "jobs", "tags is due since 2026-11-01 13:00"),
        (job_failed, timedelta(minutes=1), "jobs", "tags failed: no answer"),
        (lambda _: None, 2 * HOUR, "hosts", "1 stale"),
        (lambda _: None, -HOUR, "clock", "says 2026-11-01 11:00 here, but the newest report came 2026-11-01 12:00"),
        (lambda _: None, timedelta(days=8), "backup", "the last one is 8 days old"),
        (skewed, timedelta(minutes=1), "clocks of hosts", "1 hosts have a clock"),
        (gave_up, timedelta(minutes=1), "deliveries", "1 of the last 7 days were given up"),
    ],
)
def test_what_is_wrong_is_told(
    database: Engine, do: Callable[[Connection], object], after: timedelta, check: str, words: str
) -> None:
    with writing(database) as connection:
        well(connection)
        do(connection)
    health, told = found(database, after)[check]
    assert health is Health.WRONG
    assert told.startswith(words)


def test_a_job_that_runs_is_not_overdue(sqlite: Engine) -> None:
    with writing(sqlite) as connection:
        well(connection)
        connection.execute(text("UPDATE job SET held_until = '2026-11-01 15:00:00.000000', holder = 'a'"))
    assert "jobs" not in found(sqlite, 2 * HOUR)


def test_a_damaged_file_is_found(sqlite: Engine) -> None:
    with writing(sqlite) as connection:
        well(connection)
    with sqlite.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        root = connection.exec_driver_sql("SELECT rootpage FROM sqlite_master WHERE name = 'page_item'").scalar()
        size = connection.exec_driver_sql("PRAGMA page_size").scalar()
    sqlite.dispose()
    assert root
    assert size
    path = Path(sqlite.url.database or "")
    content = bytearray(path.read_bytes())
    content[(root - 1) * size : root * size] = b"\xff" * size
    path.write_bytes(content)
    assert {"integrity"} <= found(sqlite).keys()


def test_a_schema_of_others_is_wrong_and_no_more_is_looked_at(empty_database: Engine) -> None:
    migrate(empty_database)
    with writing(empty_database) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'ffff'"))
    looked_at = [(one.check, one.health) for one in examine(empty_database, NOON)]
    assert looked_at == [("database", Health.OK), ("schema", Health.WRONG)]


def test_the_exit_code_says_how_it_is(tmp_path: Path, sqlite_url: str) -> None:
    new = envparity(tmp_path, "server", "doctor", ENVPARITY_DATABASE_URL=sqlite_url)
    assert new.exit_code == 1
    assert "there never was one: envparity server backup FILE" in new.output
    assert "none ever ran: start a server" in new.output
    gone = envparity(tmp_path, "server", "doctor", ENVPARITY_DATABASE_URL="sqlite:////nowhere/server.db")
    assert gone.exit_code == 3
    engine = open_database(sqlite_url)
    with writing(engine) as connection:
        gave_up(connection)
        connection.execute(text("UPDATE delivery SET made_at = '2999-01-01 00:00:00.000000'"))
    engine.dispose()
    told = envparity(tmp_path, "server", "doctor", "--json", ENVPARITY_DATABASE_URL=sqlite_url)
    assert (told.exit_code, told.document["exit_code"]) == (1, 1)
    checks = [one["check"] for one in told.document["findings"]]
    assert checks == [
        "database", "schema", "write", "disk", "integrity", "clock", "jobs", "hosts", "clocks of hosts",
        "deliveries", "backup",
    ]  # fmt: skip
