"""Tests of the verbs `envparity baselines` and of the pivot, against a server in a process of its own."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from envparity_agent.fingerprint import Fingerprint
from envparity_server.cli.environments_pivot import pivot
from envparity_server.storage import access
from envparity_server.storage.database import open_database, writing
from tests.forking import PROGRAM, Ended
from tests.server.asking import LIFE
from tests.server.cli.running import envparity
from tests.server.fleet import reported
from tests.server.making import ENGINE, OPERATING_SYSTEM, SEARCHED, host, packages
from tests.system.serving import served


def running(version: str) -> Fingerprint:
    """A host with a version of idna."""
    return host(OPERATING_SYSTEM, SEARCHED, ENGINE, packages({"idna": version, "flask": "3.0"}))


class Person:
    """Somebody at a terminal who may decide."""

    def __init__(self, home: Path, address: str, token: str) -> None:
        self.home = home
        self.settings = {"ENVPARITY_SERVER": address, "ENVPARITY_TOKEN": token}

    def runs(self, *arguments: str | Path) -> Ended:
        """Run a verb."""
        return envparity(self.home, *arguments, **self.settings)

    def says(self, *arguments: str | Path) -> str:
        """Run a verb that succeeds; what it printed."""
        ended = self.runs(*arguments)
        assert ended.exit_code == 0, ended.complaint
        return ended.output.strip()


@pytest.fixture
def person(tmp_path: Path, sqlite_url: str) -> Iterator[Person]:
    """An operator of a server that knows three hosts of prod and one of dev."""
    if not PROGRAM.exists():
        pytest.skip("the program envparity is missing: pip install -e .")
    engine = open_database(sqlite_url)
    now = datetime.now(UTC)
    with writing(engine) as connection:
        for name, version in (("web-1", "3.7"), ("web-2", "3.7"), ("web-3", "3.4")):
            reported(connection, name, running(version), now, "prod", {"role": "web"})
        reported(connection, "dev-1", running("3.4"), now, "dev")
        token = access.make_access_token(connection, "operator", "tests", LIFE, now)
    engine.dispose()
    with served(tmp_path, sqlite_url) as server:
        yield Person(tmp_path, server.address, token)


def test_a_baseline_is_pinned_approved_used_and_taken_back(person: Person) -> None:
    assert person.says("baselines", "list").startswith("no baseline; make one: ")
    assert person.says("baselines", "pin", "shop", "env:prod,role=web", "--reason", "release 4.2") == (
        "version 1 of shop is proposed: envparity baselines approve shop"
    )
    assert "no version of it is approved" in person.runs("diff", "host:web-3", "baseline:shop").complaint
    assert person.says("baselines", "approve", "shop") == "version 1 of shop is the reference of env:prod,role=web"
    again = person.runs("baselines", "approve", "shop")
    assert (again.exit_code, "has moved on" in again.complaint) == (3, True)
    differing = person.runs("diff", "host:web-3", "baseline:shop")
    assert "3.4 → 3.7" in differing.output
    assert "approved by token:tests" in differing.complaint
    shown = person.says("baselines", "show", "baseline:shop").splitlines()
    assert shown[0] == "shop  for env:prod,role=web"
    assert shown[2].split()[:2] == ["1", "approved"]
    assert person.says("baselines", "list").splitlines()[1].split() == [
        "shop", "env:prod,role=web", "1", "1", "approved",
    ]  # fmt: skip
    told = person.says("baselines", "withdraw", "shop", "--reason", "an outage")
    assert told == "version 1 of shop is withdrawn; approved is none"
    assert "no version to withdraw" in person.runs("baselines", "withdraw", "shop", "--reason", "x").complaint
    assert person.says("baselines", "remove", "shop") == "baseline shop is removed"
    gone = person.runs("baselines", "show", "shop")
    assert (gone.exit_code, "no baseline shop" in gone.complaint) == (2, True)


def test_a_lock_file_is_fingerprinted_here_and_pinned(person: Person) -> None:
    (person.home / "requirements.txt").write_text("idna==3.7\nflask==3.0\n")
    refused = person.runs("baselines", "pin", "lock", "requirements.txt", "--reason", "r")
    assert (refused.exit_code, "--for" in refused.complaint) == (2, True)
    person.says("baselines", "pin", "lock", "requirements.txt", "--for", "env:prod", "--reason", "r")
    person.says("baselines", "approve", "lock", "--version", "1")
    found = person.runs("diff", "baseline:lock", "host:web-3", "--json").document
    assert [(one["item"], one["left"], one["right"]) for one in found["differences"] if one["state"] == "changed"] == [
        ("idna", "3.7", "3.4")
    ]


def test_today_is_a_start_without_noise(person: Person) -> None:
    assert person.says("baselines", "today", "env:prod", "--reason", "the start") == (
        "3 hosts of env:prod are pinned to what they run now: baseline:today"
    )
    made = person.runs("baselines", "today", "env:prod", "--reason", "again", "--json").document
    assert made == {"name": "today", "version": 2, "hosts": 3}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("show", "a/b"), "no name of a baseline"),
        (("show", "shop/3"), "a version by --version"),
        (("pin", "shop", "env:prod@tomorrow", "--reason", "r"), "is not a moment"),
        (("pin", "shop", "no-such-file", "--reason", "r"), "no such target"),
    ],
)
def test_what_is_wrong_is_told_before_a_server_is_asked(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    nobody = {"ENVPARITY_SERVER": "http://127.0.0.1:9", "ENVPARITY_TOKEN": "t"}
    ended = envparity(tmp_path, "baselines", *arguments, **nobody)
    assert (ended.exit_code, said in ended.complaint) == (2, True), ended.complaint


def test_environments_are_shown_side_by_side(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in person.settings.items():
        monkeypatch.setenv(name, value)
    app = typer.Typer()
    app.command()(pivot)
    shown = CliRunner().invoke(app, ["env:dev", "env:prod", "--kind", "python"])
    lines = [line.split() for line in shown.output.splitlines()]
    assert lines == [
        ["section", "item", "env:dev", "env:prod", "=", "reference"],
        ["python/srv/shop", "idna", "3.4", "3.7", "(2", "of", "3)"],
    ]
    same = CliRunner().invoke(app, ["env:dev", "host:dev-1"])
    assert same.output == "nothing differs: env:dev (1 hosts), host:dev-1 (1 hosts)\n"
    assert CliRunner().invoke(app, ["env:dev"]).exception is not None
