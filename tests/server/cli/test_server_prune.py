"""Tests of `envparity server prune` on a real database, and of the verbs that ask who has what."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import typer
from sqlalchemy import Engine
from typer.testing import CliRunner

from envparity_agent.errors import CannotTell
from envparity_server.cli.server_prune import prune
from envparity_server.storage import history
from envparity_server.storage.database import open_database, reading, writing
from tests.server.fleet import enrolled, report
from tests.server.making import SEARCHED, host, packages

NOW = datetime.now(UTC)
A, B = host(SEARCHED, packages({"idna": "3.4"})), host(SEARCHED, packages({"idna": "3.7"}))


def run(url: str, *arguments: str) -> str:
    """Run the verb; what it raises is the test's."""
    app = typer.Typer()
    app.command()(prune)
    ended = CliRunner().invoke(app, [*arguments, "--database-url", url])
    if ended.exception and not isinstance(ended.exception, SystemExit):
        raise ended.exception
    assert ended.exit_code == 0, ended.output
    return ended.stdout


@pytest.fixture
def lived(sqlite_url: str) -> Iterator[tuple[str, Engine, str]]:
    """A host whose first report is 400 days old, and whose last one is of now."""
    engine = open_database(sqlite_url)
    with writing(engine) as connection:
        one = enrolled(connection, "web-1")
        for days, fingerprint in ((400, A), (399, B), (0, B)):
            report(connection, one, fingerprint, NOW - timedelta(days=days))
    yield sqlite_url, engine, one.id
    engine.dispose()


def test_it_tells_what_went_and_then_that_nothing_is_left(lived: tuple[str, Engine, str]) -> None:
    url, engine, host_id = lived
    assert "section_history  1" in run(url, "--keep-days", "90")
    assert run(url, "--keep-days", "90") == "nothing to prune: all that is stored is of the last 90 days, or in use\n"
    with reading(engine) as connection:
        assert [one.root for one in history.intervals(connection, host_id)] == [B.root]


def test_the_settings_say_how_long_each_environment_is_kept(
    lived: tuple[str, Engine, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = tmp_path / "server.toml"
    settings.write_text("keep_days = 90\nkeep_days_in = { prod = 1000 }\n")
    monkeypatch.setenv("ENVPARITY_SERVER_CONFIG", str(settings))
    assert '"history": 0' in run(lived[0], "--json")
    settings.write_text("keep_days = 1000\nkeep_days_in = { prod = 90 }\n")
    assert '"history": 1' in run(lived[0], "--json")


def test_it_is_refused_where_the_clock_must_be_wrong(sqlite_url: str) -> None:
    engine = open_database(sqlite_url)
    with writing(engine) as connection:
        report(connection, enrolled(connection, "web-1"), A, NOW - timedelta(days=4000))
    engine.dispose()
    with pytest.raises(CannotTell, match="nothing was pruned"):
        run(sqlite_url)
