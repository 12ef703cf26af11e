"""Tests of `envparity drifts` and `envparity deploy` against a server on a socket."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

import pytest
import uvicorn
from sqlalchemy import Engine
from typer import Typer
from typer.testing import CliRunner

from envparity_agent.errors import UsageError
from envparity_server.app import create_app
from envparity_server.cli import deploy, drifts
from tests.server.api.test_drifts import fill
from tests.server.asking import Asking


@contextmanager
def listening(asking: Asking) -> Iterator[str]:
    """The application on a socket; its address."""
    server = uvicorn.Server(uvicorn.Config(asking.app, port=0, log_config=None, lifespan="off"))
    thread = Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            thread.join(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()


@dataclass(frozen=True)
class Terminal:
    """Somebody with a token at a terminal."""

    settings: dict[str, str]

    def run(self, app: Typer, *arguments: str) -> str:
        """What a verb prints; raises what it raises."""
        ended = CliRunner().invoke(app, list(arguments), env=self.settings, catch_exceptions=False)
        assert ended.exit_code == 0, ended.output
        return ended.stdout


@pytest.fixture
def terminal(sqlite: Engine, tmp_path: Path) -> Iterator[Terminal]:
    """An operator of a server with two drifts."""
    fill(sqlite)
    operator = Asking(create_app(sqlite), sqlite).as_role("operator")
    token = tmp_path / "token"
    token.write_text(operator.headers["Authorization"].removeprefix("Bearer "))
    token.chmod(0o600)
    with listening(operator) as address:
        yield Terminal({"ENVPARITY_SERVER": address, "ENVPARITY_TOKEN_FILE": str(token)})


def listed(terminal: Terminal, *more: str) -> list[dict[str, str]]:
    """The drifts of a list."""
    found: list[dict[str, str]] = json.loads(terminal.run(drifts.app, "list", "--json", *more))["drifts"]
    return found


def test_drifts_are_listed_shown_and_decided_about(terminal: Terminal) -> None:
    one, other = listed(terminal)
    assert [each["environment"] for each in listed(terminal, "--severity", "high")] == ["prod"]
    ids = one["id"], other["id"]
    terminal.run(drifts.app, "acknowledge", *ids, "--reason", "known")
    assert {each["state"] for each in listed(terminal)} == {"acknowledged"}
    terminal.run(drifts.app, "snooze", ids[0], "--until", "2099-01-01", "--reason", "later")
    assert [each["until"] for each in listed(terminal, "--state", "snoozed")] == ["2099-01-01T00:00:00Z"]
    terminal.run(drifts.app, "reopen", *ids)
    assert {each["state"] for each in listed(terminal)} == {"ongoing"}
    shown = json.loads(terminal.run(drifts.app, "show", ids[0], "--json"))
    assert (shown["hosts"], shown["items"][0]["item"]) == (["prod-0"], "idna")
    for verb in (["list"], ["show", ids[0]]):
        told = terminal.run(drifts.app, *verb)
        assert ids[0] in told
        assert "python/srv/shop: idna 3.4 -> 4.0 on prod-0" in told


def test_a_deploy_is_begun_and_ended_by_its_id_or_hosts(terminal: Terminal) -> None:
    id = terminal.run(deploy.app, "begin", "--hosts", "env:prod", "--name", "shop 1.5").strip()
    assert terminal.run(deploy.app, "end", id) == f"{id} env:prod shop 1.5 ended\n"
    terminal.run(deploy.app, "begin", "--hosts", "env:test")
    assert terminal.run(deploy.app, "end", "--hosts", "env:test").endswith(" env:test ended\n")


@pytest.mark.parametrize(
    ("app", "arguments"),
    [
        (drifts.app, ["show", "../hosts"]),
        (drifts.app, ["snooze", "aa", "--until", "tomorrow", "--reason", "x"]),
        (deploy.app, ["end"]),
        (deploy.app, ["end", "aa", "--hosts", "env:prod"]),
        (deploy.app, ["end", "a/b"]),
    ],
)
def test_what_makes_no_sense_is_told_before_anything_is_asked(app: Typer, arguments: list[str], tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("x")
    settings = {"ENVPARITY_SERVER": "http://127.0.0.1:9", "ENVPARITY_TOKEN_FILE": str(token)}
    with pytest.raises(UsageError):
        Terminal(settings).run(app, *arguments)
