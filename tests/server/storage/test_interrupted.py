"""Tests that a migration whose process is killed at any moment leaves the database as it was."""

from multiprocessing.synchronize import Event
from typing import Any

import pytest
from sqlalchemy import Engine, event, func, select, text

from envparity_server.storage.database import check_schema, migrate, open_database, present_revision, reading
from envparity_server.storage.tables import content, host
from tests.forking import PROCESSES
from tests.server.releases.loading import put

_LONGEST_WAIT = 60.0  # seconds, for a machine with much else to do


def migrate_until(url: str, statement: str, reached: Event) -> None:
    """Migrate, and stay for ever where a statement has just been run."""
    engine = open_database(url)

    @event.listens_for(engine, "after_cursor_execute")
    def stay(_connection: Any, _cursor: Any, ran: str, *_: Any) -> None:
        if ran.lstrip().startswith(statement):
            reached.set()
            PROCESSES.Event().wait()

    migrate(engine)


@pytest.mark.parametrize("statement", ["ALTER TABLE host", "CREATE TABLE drift_item", "UPDATE alembic_version"])
def test_a_migration_that_is_killed_is_rolled_back_and_can_be_done_again(
    empty_database: Engine, statement: str
) -> None:
    put(empty_database, "0.1.0", "0001")
    with reading(empty_database) as connection:
        before = [connection.scalar(select(func.count()).select_from(one)) for one in (host, content)]
    empty_database.dispose()
    reached = PROCESSES.Event()
    url = empty_database.url.render_as_string(hide_password=False)
    process = PROCESSES.Process(target=migrate_until, args=(url, statement, reached))
    process.start()
    try:
        assert reached.wait(_LONGEST_WAIT)
    finally:
        process.kill()
        process.join()
    assert process.exitcode == -9
    assert present_revision(empty_database) == "0001"
    if empty_database.dialect.name == "sqlite":
        with reading(empty_database) as connection:
            assert connection.scalar(text("PRAGMA integrity_check")) == "ok"
    migrate(empty_database)
    check_schema(empty_database)
    with reading(empty_database) as connection:
        assert [connection.scalar(select(func.count()).select_from(one)) for one in (host, content)] == before
