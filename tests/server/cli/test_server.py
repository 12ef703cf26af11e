"""Tests of `envparity server`: the schema, tokens and logins on a SQLite file."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from envparity_server.storage import access
from envparity_server.storage.database import check_schema, open_database, reading, writing
from envparity_server.storage.tables import access_token, enrolment_token
from tests.forking import Ended
from tests.server.cli.running import envparity


def server(home: Path, *arguments: str, **more: str) -> Ended:
    """Run a verb of the server on the database `server.db`."""
    return envparity(home, "server", *arguments, ENVPARITY_DATABASE_URL=f"sqlite:///{home / 'server.db'}", **more)


def test_migrating_makes_the_schema_and_again_changes_nothing(tmp_path: Path) -> None:
    for _ in range(2):
        ended = server(tmp_path, "migrate")
        assert (ended.exit_code, ended.output) == (0, "")
        assert ended.complaint == "the schema is up to date\n"
    engine = open_database(f"sqlite:///{tmp_path / 'server.db'}")
    check_schema(engine)
    engine.dispose()


def test_an_enrolment_token_is_printed_once_and_works(tmp_path: Path, sqlite_url: str) -> None:
    ended = server(tmp_path, "token", "enrol", "--environment", "prod", "--uses", "2", "--days", "3")
    assert (ended.exit_code, ended.complaint) == (0, "")
    token = ended.output.rstrip("\n")
    assert token == token.strip()
    engine = open_database(sqlite_url)
    with writing(engine) as connection:
        row = connection.execute(select(enrolment_token)).one()
        assert (row.environment, row.uses_left) == ("prod", 2)
        assert timedelta(days=2.9) < row.expires_at - datetime.now(UTC) < timedelta(days=3)
        assert access.use_enrolment_token(connection, token, "dev", datetime.now(UTC)) is None
        assert access.use_enrolment_token(connection, token, None, datetime.now(UTC)) == "prod"
    engine.dispose()


@pytest.mark.parametrize("role", ["ci", "viewer", "operator", "admin"])
def test_an_access_token_has_its_role_and_name(tmp_path: Path, sqlite_url: str, role: str) -> None:
    token = server(tmp_path, "token", role, "--name", "github").output.strip()
    engine = open_database(sqlite_url)
    with reading(engine) as connection:
        found = access.holder_of(connection, token, datetime.now(UTC))
        assert found is not None
        assert found.role == role
        assert connection.scalar(select(access_token.c.name)) == "github"
    engine.dispose()


def test_a_login_code_is_printed_and_works_once(tmp_path: Path, sqlite_url: str) -> None:
    code = server(tmp_path, "login").output.strip()
    engine = open_database(sqlite_url)
    with writing(engine) as connection:
        assert access.use_login(connection, code, datetime.now(UTC))
        assert access.use_login(connection, code, datetime.now(UTC)) is None
    engine.dispose()


@pytest.mark.usefixtures("sqlite_url")
@pytest.mark.parametrize(
    "arguments",
    [
        ("token", "root"),
        ("token", "enrol", "--uses", "0"),
        ("token", "ci", "--environment", "prod"),
        ("migrate", "--database-url", "mysql://localhost/x"),
    ],
)
def test_a_wrong_order_is_told_in_words_and_exits_2(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    ended = server(tmp_path, *arguments)
    assert (ended.exit_code, ended.output) == (2, "")
    assert "Traceback" not in ended.complaint


@pytest.mark.parametrize("verb", [("login",), ("run",)])
def test_a_database_without_the_schema_is_refused_with_what_to_do(tmp_path: Path, verb: tuple[str, ...]) -> None:
    ended = server(tmp_path, *verb)
    assert (ended.exit_code, ended.output) == (2, "")
    assert "envparity server migrate" in ended.complaint


def test_a_database_of_a_newer_program_is_refused_in_words(tmp_path: Path, sqlite_url: str) -> None:
    engine = open_database(sqlite_url)
    with writing(engine) as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'ffff'")
    engine.dispose()
    ended = server(tmp_path, "migrate")
    assert ended.exit_code == 2
    assert "ffff" in ended.complaint
    assert "Traceback" not in ended.complaint


def test_a_database_that_cannot_be_opened_exits_3(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    ended = envparity(tmp_path, "server", "migrate", "--database-url", f"sqlite:///{tmp_path / 'file' / 'no.db'}")
    assert ended.exit_code == 3
    assert "Traceback" not in ended.complaint


def test_settings_come_from_the_file_and_an_unknown_key_is_refused(tmp_path: Path, sqlite_url: str) -> None:
    settings = tmp_path / "mine.toml"
    settings.write_text(f'database_url = "{sqlite_url}"\n')
    assert envparity(tmp_path, "server", "login", ENVPARITY_SERVER_CONFIG=str(settings)).exit_code == 0
    settings.write_text(f'database_url = "{sqlite_url}"\ndatabase_ulr = "x"\n')
    ended = envparity(tmp_path, "server", "login", ENVPARITY_SERVER_CONFIG=str(settings))
    assert (ended.exit_code, ended.output) == (2, "")
    assert "database_ulr" in ended.complaint
    assert f"{settings}, line 2" in ended.complaint
