"""Tests of opening databases and of their schema."""

import threading
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, inspect, text

from envparity_agent.errors import CannotTell, EnvparityError, UsageError
from envparity_server.storage.database import (
    check_schema,
    migrate,
    open_database,
    present_revision,
    reading,
    writing,
)
from envparity_server.storage.tables import metadata
from tests.server.releases.loading import put

ONE_OBJECT = text("INSERT INTO content (hash, kind, body, stored_at) VALUES ('a', 'page', 'b', '2026-11-01')")


def test_a_migrated_database_has_the_schema_of_this_program(empty_database: Engine) -> None:
    migrate(empty_database)
    check_schema(empty_database)
    with reading(empty_database) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []


def test_migrating_twice_is_harmless(empty_database: Engine) -> None:
    migrate(empty_database)
    with writing(empty_database) as connection:
        connection.execute(ONE_OBJECT)
    migrate(empty_database)
    check_schema(empty_database)
    with reading(empty_database) as connection:
        assert connection.scalar(text("SELECT count(*) FROM content")) == 1


def test_an_empty_database_is_refused_with_what_to_do(empty_database: Engine) -> None:
    with pytest.raises(UsageError, match="schema none") as refused:
        check_schema(empty_database)
    assert "envparity server migrate" in refused.value.advice


def test_a_database_of_a_newer_program_is_refused(empty_database: Engine) -> None:
    migrate(empty_database)
    with writing(empty_database) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'ffff'"))
    with pytest.raises(UsageError, match="schema ffff"):
        check_schema(empty_database)


def test_a_database_of_a_newer_program_is_not_migrated(empty_database: Engine) -> None:
    migrate(empty_database)
    with writing(empty_database) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'ffff'"))
    with pytest.raises(EnvparityError):
        migrate(empty_database)
    with reading(empty_database) as connection:
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) == "ffff"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "not a url",
        "mysql://root@localhost/envparity",
        "oracle+cx://x",
        "sqlite+nothing:///a",
        "postgresql+no://a/b",
    ],
)
def test_what_is_no_database_of_ours_is_refused(url: str) -> None:
    with pytest.raises(UsageError) as refused:
        open_database(url)
    assert refused.value.advice


def test_a_password_in_an_address_is_never_shown() -> None:
    with pytest.raises(UsageError) as refused:
        open_database("mysql://root:secret@localhost/envparity")
    assert "secret" not in f"{refused.value} {refused.value.advice}"


@pytest.mark.parametrize("do", [migrate, check_schema], ids=["migrate", "check"])
def test_a_database_that_cannot_be_opened_cannot_tell(tmp_path: Path, do: object) -> None:
    (tmp_path / "file").touch()
    engine = open_database(f"sqlite:///{tmp_path / 'file' / 'server.db'}")
    with pytest.raises(CannotTell, match=r"cannot (?:open the database|make .*server\.db)"):
        do(engine)  # type: ignore[operator]  # mypy joins two functions to object
    engine.dispose()


def test_sqlite_keeps_what_it_has_acknowledged(sqlite: Engine) -> None:
    with reading(sqlite) as connection:
        settings = {name: connection.scalar(text(f"PRAGMA {name}")) for name in ("journal_mode", "synchronous")}
        assert settings == {"journal_mode": "wal", "synchronous": 2}
        assert connection.scalar(text("PRAGMA foreign_keys")) == 1


def test_a_transaction_that_fails_leaves_nothing(database: Engine) -> None:
    def fail() -> None:
        with writing(database) as connection:
            connection.execute(ONE_OBJECT)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with reading(database) as connection:
        assert connection.scalar(text("SELECT count(*) FROM content")) == 0


def test_no_update_of_two_writers_is_lost(database: Engine) -> None:
    with writing(database) as connection:
        connection.execute(
            text(
                "INSERT INTO enrolment_token (token_hash, id, created_by, expires_at, uses_left) "
                "VALUES ('a', 'a', 'local', '2030-01-01 00:00:00', 0)"
            )
        )

    def count_up() -> None:
        for _ in range(20):
            with writing(database) as connection:
                # on PostgreSQL a row that is read to be changed is locked; SQLite has the whole database
                lock = " FOR UPDATE" if database.dialect.name == "postgresql" else ""
                seen = connection.scalar(text(f"SELECT uses_left FROM enrolment_token{lock}"))  # noqa: S608
                connection.execute(text("UPDATE enrolment_token SET uses_left = :n"), {"n": (seen or 0) + 1})

    threads = [threading.Thread(target=count_up) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with reading(database) as connection:
        assert connection.scalar(text("SELECT uses_left FROM enrolment_token")) == 80


def test_a_migration_makes_every_table(empty_database: Engine) -> None:
    migrate(empty_database)
    assert set(inspect(empty_database).get_table_names()) == {*metadata.tables, "alembic_version"}


def test_a_database_that_was_left_half_migrated_is_refused(empty_database: Engine) -> None:
    migrate(empty_database)
    with writing(empty_database) as connection:
        connection.execute(text("DROP TABLE job_run"))
    for do in (check_schema, migrate):
        with pytest.raises(UsageError, match="not all of its tables: job_run") as refused:
            do(empty_database)
        assert "restore" in refused.value.advice


def test_tables_without_a_number_of_their_schema_are_refused(empty_database: Engine) -> None:
    migrate(empty_database)
    with writing(empty_database) as connection:
        connection.execute(text("DELETE FROM alembic_version"))
    with pytest.raises(UsageError, match="no number of their schema"):
        migrate(empty_database)


def test_a_schema_with_two_numbers_is_refused(empty_database: Engine) -> None:
    migrate(empty_database)
    with writing(empty_database) as connection:
        connection.execute(text("INSERT INTO alembic_version VALUES ('0001')"))
    for do in (check_schema, migrate):
        with pytest.raises(UsageError, match="half migrated"):
            do(empty_database)


def test_a_step_that_fails_is_told_and_rolled_back(empty_database: Engine) -> None:
    """A table of the newer schema is in the way: somebody made half of it by hand."""
    put(empty_database, "0.1.0", "0001")
    with writing(empty_database) as connection:
        connection.execute(text("CREATE TABLE drift (id INTEGER)"))
    with pytest.raises(CannotTell, match=r"could not be migrated from schema 0001: .*drift") as refused:
        migrate(empty_database)
    assert "as it was before" in refused.value.advice
    with pytest.raises(UsageError, match="has schema 0001") as older:
        check_schema(empty_database)
    assert older.value.advice == "envparity server migrate"


def test_a_newer_schema_asks_for_the_newer_program(empty_database: Engine) -> None:
    migrate(empty_database)
    with writing(empty_database) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'ffff'"))
    for do in (check_schema, migrate):
        with pytest.raises(UsageError, match="schema ffff, which this program does not know") as refused:
            do(empty_database)
        assert "install the newer envparity" in refused.value.advice


def test_asking_for_a_schema_makes_no_file(tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'server.db'}")
    assert present_revision(engine) is None
    assert list(tmp_path.iterdir()) == [tmp_path / "no-settings.toml"]


def test_a_file_that_is_no_database_is_refused_with_words(tmp_path: Path) -> None:
    (tmp_path / "server.db").write_bytes(b"this is no database, but long enough to look like one" * 100)
    engine = open_database(f"sqlite:///{tmp_path / 'server.db'}")
    for do in (check_schema, migrate):
        with pytest.raises(CannotTell, match="is damaged, or something else") as refused:
            do(engine)
        assert "restore" in refused.value.advice
    engine.dispose()


def test_a_log_that_cannot_be_opened_is_told(sqlite_url: str) -> None:
    engine = open_database(sqlite_url)
    Path(f"{engine.url.database}-wal").mkdir()
    with pytest.raises(CannotTell, match="cannot open the database"):
        check_schema(engine)
    engine.dispose()
