"""Tests of `envparity server backup`, `restore` and `migrate`."""

from pathlib import Path

from sqlalchemy import text

from envparity_server.storage.database import known_revisions, open_database, writing
from tests.forking import Ended
from tests.server.cli.running import envparity
from tests.server.releases.loading import put


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
    """A database of the first release."""
    engine = open_database(f"sqlite:///{path}")
    put(engine, "0.1.0", "0001")
    engine.dispose()


def test_a_database_is_copied_before_it_is_migrated(tmp_path: Path) -> None:
    older(tmp_path / "server.db")
    assert server(tmp_path, "migrate", "--backup", "a", "--no-backup").exit_code == 2
    ended = server(tmp_path, "migrate")
    assert ended.exit_code == 0
    assert "as it was before" in ended.complaint
    [copy] = tmp_path.glob("server.db.0001.*.backup")
    back = server(tmp_path, "restore", copy, database="new.db")
    assert back.exit_code == 0
    assert f"brought to schema {known_revisions()[-1]}" in back.complaint


def test_the_copy_goes_where_it_is_asked_to_or_nowhere(tmp_path: Path) -> None:
    for name in ("one.db", "two.db"):
        older(tmp_path / name)
    assert server(tmp_path, "migrate", "--backup", tmp_path / "named", database="one.db").exit_code == 0
    assert server(tmp_path, "migrate", "--no-backup", database="two.db").exit_code == 0
    assert (tmp_path / "named").exists()
    assert list(tmp_path.glob("*.backup")) == []


def test_what_was_copied_is_told_as_json(tmp_path: Path, sqlite_url: str) -> None:
    assert sqlite_url.endswith("server.db")
    made = server(tmp_path, "backup", tmp_path / "copy", "--json").document
    assert made["schema"] == known_revisions()[-1]
    assert made["bytes"] == (tmp_path / "copy").stat().st_size
    assert made["rows"]["host"] == 0
    assert server(tmp_path, "restore", tmp_path / "copy", "--json", database="new.db").document == made


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
