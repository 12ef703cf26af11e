"""Tests of what a verb says of a database that cannot be asked."""

import sqlite3
from pathlib import Path

import pytest

from envparity_agent.errors import CannotTell
from envparity_server.cli.database import ready
from envparity_server.storage.database import writing


def test_a_database_that_is_locked_for_too_long_is_told_in_words(tmp_path: Path, sqlite_url: str) -> None:
    engine = ready(sqlite_url)
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA busy_timeout = 1")  # milliseconds; of the one connection that the pool has
    with sqlite3.connect(tmp_path / "server.db", isolation_level=None) as server:
        server.execute("BEGIN IMMEDIATE")
        with pytest.raises(CannotTell, match="database is locked"), writing(engine):
            pass
    server.close()
    engine.dispose()
