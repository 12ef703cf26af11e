"""Tests of backups: what they hold, what is refused, and that a restore changes all or nothing."""

import shutil
import sqlite3
import stat
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, event, text

from envparity_agent.errors import CannotTell, EnvparityError, UsageError
from envparity_server.references import resolve
from envparity_server.storage import backups
from envparity_server.storage.database import check_schema, migrate, open_database, reading, writing
from tests.server.fleet import reported
from tests.server.making import NOON, OPERATING_SYSTEM, host, packages

LATER = NOON + timedelta(minutes=5)


@pytest.fixture(autouse=True)
def programs_of_postgresql() -> None:
    """What is copied by PostgreSQL's own programs needs them."""
    if shutil.which("pg_dump") is None:
        pytest.skip("pg_dump is missing: apt-get install postgresql-client")


@pytest.fixture
def filled(empty_database: Engine) -> Engine:
    """A database of either kind with two hosts."""
    migrate(empty_database)
    with writing(empty_database) as connection:
        for name in ("web-1", "web-2"):
            reported(connection, name, host(OPERATING_SYSTEM, packages({"requests": "2.32.3"}), name=name), NOON)
    return empty_database


@pytest.fixture
def other(filled: Engine, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Engine]:
    """An empty database of the same kind."""
    if filled.dialect.name == "sqlite":
        engine = open_database(f"sqlite:///{tmp_path / 'elsewhere' / 'server.db'}")
        yield engine
        engine.dispose()
        return
    cluster = request.getfixturevalue("postgres_cluster")
    with cluster.database() as name:
        engine = open_database(cluster.url(name))
        yield engine
        engine.dispose()


def answer(engine: Engine) -> object:
    """What the database says of a host."""
    with reading(engine) as connection:
        found = resolve(connection, "host:web-1", LATER)
        return found.fingerprint.target, sorted(found.fingerprint.sections), found.notes


def test_a_backup_restored_elsewhere_gives_the_same_answers(filled: Engine, other: Engine, tmp_path: Path) -> None:
    file = tmp_path / "backup"
    made = backups.back_up(filled, file)
    assert made.rows["host"] == 2
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.glob("*backup*")] == ["backup"]
    assert backups.read(file) == made
    assert backups.restore(other, file) == made
    check_schema(other)
    assert answer(other) == answer(filled)


def test_a_newer_backup_takes_the_place_of_an_older_one(filled: Engine, tmp_path: Path) -> None:
    file = tmp_path / "backup"
    file.write_text("old")
    backups.back_up(filled, file)
    assert backups.read(file).rows["host"] == 2


def test_a_database_that_is_not_empty_is_replaced_only_if_asked_to(filled: Engine, tmp_path: Path) -> None:
    file = tmp_path / "backup"
    backups.back_up(filled, file)
    with writing(filled) as connection:
        reported(connection, "web-3", host(OPERATING_SYSTEM, name="web-3"), NOON)
    with pytest.raises(UsageError, match="already") as refused:
        backups.restore(filled, file)
    assert "--replace" in refused.value.advice
    with reading(filled) as connection:
        assert backups.contents(connection).rows["host"] == 3
    assert backups.restore(filled, file, replace=True).rows["host"] == 2


@pytest.mark.parametrize("kept", [0, 10, 0.3, 0.9, 0.999])
def test_a_backup_that_is_not_whole_is_refused_and_nothing_touched(filled: Engine, tmp_path: Path, kept: float) -> None:
    file = tmp_path / "backup"
    backups.back_up(filled, file)
    whole = file.read_bytes()
    file.write_bytes(whole[: int(kept if kept > 1 else kept * len(whole))])
    before = answer(filled)
    with pytest.raises(UsageError, match=r"damaged|not whole|no backup"):
        backups.restore(filled, file, replace=True)
    assert answer(filled) == before


def test_a_backup_of_another_version_is_refused(filled: Engine, other: Engine, tmp_path: Path) -> None:
    with writing(filled) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'ffff'"))
    backups.back_up(filled, tmp_path / "backup")
    with pytest.raises(UsageError, match="schema ffff, which this program does not know"):
        backups.restore(other, tmp_path / "backup")


@pytest.mark.parametrize("content", [b"", b"hello", b"PGDMP", b"SQLite format 3\0" + b"\0" * 4096])
def test_what_is_no_backup_is_refused(other: Engine, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(UsageError):
        backups.restore(other, tmp_path / "file")


def test_a_database_of_others_is_refused(sqlite: Engine, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "other.db") as connection:
        connection.execute("CREATE TABLE a (b)")
    connection.close()
    with pytest.raises(UsageError, match="none of envparity"):
        backups.restore(sqlite, tmp_path / "other.db", replace=True)


def test_a_backup_of_the_other_kind_is_refused(
    sqlite: Engine, migrated_postgres: Engine, tmp_path: Path
) -> None:  # fmt: skip
    for one, another in ((sqlite, migrated_postgres), (migrated_postgres, sqlite)):
        backups.back_up(one, tmp_path / one.dialect.name)
        with pytest.raises(UsageError, match=f"is a backup of {one.dialect.name}"):
            backups.restore(another, tmp_path / one.dialect.name, replace=True)


def test_a_backup_that_cannot_be_written_leaves_the_old_one(sqlite: Engine, tmp_path: Path) -> None:
    with pytest.raises(CannotTell, match="cannot write"):
        backups.back_up(sqlite, tmp_path / "nowhere" / "backup")
    (tmp_path / "backup").mkdir()
    with pytest.raises(CannotTell, match="cannot write"):
        backups.back_up(sqlite, tmp_path / "backup")
    assert sorted(path.name for path in tmp_path.glob(".*")) == []


def test_without_postgresqls_programs_it_says_so(
    migrated_postgres: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CannotTell, match="pg_dump is missing"):
        backups.back_up(migrated_postgres, tmp_path / "backup")
    assert list(tmp_path.glob("*backup*")) == []


def test_a_restore_that_is_interrupted_leaves_what_was_there(filled: Engine, tmp_path: Path) -> None:
    """Somebody else's open transaction on a table keeps the restore from ending."""
    backups.back_up(filled, tmp_path / "backup")
    with writing(filled) as connection:
        reported(connection, "web-3", host(OPERATING_SYSTEM, name="web-3"), NOON)
    if filled.dialect.name == "postgresql":
        with writing(filled) as connection:  # a view that the dump does not know depends on a table of ours
            connection.execute(text("CREATE VIEW names AS SELECT name FROM host"))
        with pytest.raises(EnvparityError, match="pg_restore failed"):
            backups.restore(filled, tmp_path / "backup", replace=True)
    else:
        event.listen(filled, "connect", lambda connection, _: connection.execute("PRAGMA busy_timeout=50"))
        filled.dispose()
        with sqlite3.connect(filled.url.database or "", isolation_level=None) as busy:
            busy.execute("BEGIN IMMEDIATE")
            with pytest.raises(CannotTell, match="locked"):
                backups.restore(filled, tmp_path / "backup", replace=True)
            busy.execute("ROLLBACK")
        busy.close()
    with reading(filled) as connection:
        assert backups.contents(connection).rows["host"] == 3
