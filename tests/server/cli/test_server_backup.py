"""Tests of `envparity server backup`, `restore` and `migrate`."""

import sqlite3
from pathlib import Path

from sqlalchemy import text

from envparity_server.storage.database import known_revisions, open_database, writing
from tests.server.cli.running import Ended, envparity


def server(home: Path, *arguments: str | Path, database: str = "server.db") -> Ended:
    """Run a verb of the server on a SQLite file."""
    return envparity(home, "server", *arguments, ENVPARITY_DATABASE_URL=f"sqlite:///{home / database}")


def test_a_backup_goes_back_into_an_empty_database(tmp_path: Path, sqlite_url: str) -> None:
    assert sqlite_url.endswith("server.db")
    made = server(tmp_path, "backup", tmp_path / "copy")
    assert (made.exit_code, made.output) == (0, "")
    assert "verified" in made.complaint
    assert server(tmp_path, "restore", tmp_path / "copy", database="new.db").exit_code == 0
    assert server(tmp_path, "login", database="new.db").exit_code == 0
    again = server(tmp_path, "restore", tmp_path / "copy", database="new.db")
    assert again.exit_code == 2
    assert "--replace" in again.complaint
    assert server(tmp_path, "restore", tmp_path / "copy", "--replace", database="new.db").exit_code == 0


def test_what_is_no_backup_is_refused_with_words(tmp_path: Path) -> None:
    (tmp_path / "copy").write_text("no backup")
    for file in ("copy", "nowhere"):
        ended = server(tmp_path, "restore", tmp_path / file)
        assert ended.exit_code == 2
        assert "Traceback" not in ended.complaint
        assert file in ended.complaint


def older(path: Path) -> None:
    """A database of the first schema, as the first release left it."""
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
        connection.execute("INSERT INTO alembic_version VALUES (?)", known_revisions()[:1])
    connection.close()


def test_a_database_is_copied_before_it_is_migrated(tmp_path: Path) -> None:
    """This one is none that could be migrated: the copy is there all the same, and the database as it was."""
    older(tmp_path / "server.db")
    ended = server(tmp_path, "migrate")
    assert ended.exit_code != 0
    assert "as it was before" in ended.complaint
    assert "Traceback" not in ended.complaint
    assert (tmp_path / f"server.db.{known_revisions()[0]}.backup").exists()
    with sqlite3.connect(tmp_path / "server.db") as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("alembic_version",)]
    connection.close()
    assert server(tmp_path, "migrate", "--no-backup").exit_code != 0
    named = server(tmp_path, "migrate", "--backup", tmp_path / "named")
    assert "named" in named.complaint
    assert (tmp_path / "named").exists()
    assert server(tmp_path, "migrate", "--backup", "a", "--no-backup").exit_code == 2


def test_a_new_database_needs_no_copy(tmp_path: Path) -> None:
    ended = server(tmp_path, "migrate")
    assert (ended.exit_code, ended.complaint) == (0, "the schema is up to date\n")
    assert list(tmp_path.glob("*.backup")) == []


def test_a_newer_database_is_refused_and_not_copied(tmp_path: Path, sqlite_url: str) -> None:
    engine = open_database(sqlite_url)
    with writing(engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'ffff'"))
    engine.dispose()
    for verb in (["migrate"], ["run"], ["login"]):
        ended = server(tmp_path, *verb)
        assert ended.exit_code == 2
        assert "newer" in ended.complaint
    assert list(tmp_path.glob("*.backup")) == []
