"""Tests of `envparity gates` against a server on a socket."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Engine
from typer.testing import CliRunner

from envparity_agent.errors import UsageError
from envparity_server.app import create_app
from envparity_server.cli import gates
from envparity_server.gating.model import Standing, Suspected, Verdict
from envparity_server.storage.database import writing
from tests.server.asking import Asking
from tests.server.cli.test_drifts import Terminal, listening
from tests.server.gating.running import finding, kept, report

MAIN = ("--repository", "acme/shop", "--ref", "main", "--against", "env:prod")
MANY = [finding(f"package-{number:02}") for number in range(30)]
DRIFT = report(
    findings=[*MANY, finding("flask", Standing.DECLARED, why="uv.lock")],
    summary="1 declared, 30 undeclared",
    causes=(Suspected(1, "os-packages", "libssl3", ("it is loaded",), ("apt-get install libssl3=3.0.15",)),),
    reasons=("web-3 is stale",),
)


@pytest.fixture
def terminal(sqlite: Engine, tmp_path: Path) -> Iterator[Terminal]:
    """An operator of a server with the runs 1, with drift, and 2, in parity."""
    with writing(sqlite) as connection:
        kept(connection, DRIFT)
        kept(connection, report(Verdict.PARITY))
    operator = Asking(create_app(sqlite), sqlite).as_role("operator")
    token = tmp_path / "token"
    token.write_text(operator.headers["Authorization"].removeprefix("Bearer "))
    with listening(operator) as address:
        yield Terminal({"ENVPARITY_SERVER": address, "ENVPARITY_TOKEN_FILE": str(token)})


def test_runs_are_listed_and_narrowed_down(terminal: Terminal) -> None:
    heading, *rows = terminal.run(gates.app, "list").splitlines()
    assert heading.split() == ["run", "verdict", "repository", "ref", "against", "when", "what"]
    assert [row.split()[:2] for row in rows] == [["2", "parity"], ["1", "drift"]]
    found = json.loads(terminal.run(gates.app, "list", "--verdict", "drift", "--ref", "main", "--json"))
    assert [one["summary"] for one in found["runs"]] == ["1 declared, 30 undeclared"]
    assert terminal.run(gates.app, "list", "--repository", "acme/none") == ""


def test_a_list_that_is_cut_says_how_many_there_are_more(terminal: Terminal) -> None:
    ended = CliRunner().invoke(gates.app, ["list", "--limit", "1"], env=terminal.settings)
    assert (len(ended.stdout.splitlines()), ended.stderr) == (2, "1 more are not shown\n")


def test_a_run_is_shown_with_causes_first_and_what_is_accounted_for_by_its_count(terminal: Terminal) -> None:
    shown = terminal.run(gates.app, "show", "1")
    for told in (
        "run 1  drift  1 declared, 30 undeclared", "acme/shop main 9fceb02d", "https://ci.example/shop/512",
        "image shop against env:prod", "1. libssl3: it is loaded", "apt-get install libssl3=3.0.15", "1 declared",
        "not told: web-3 is stale", "package-19",
    ):  # fmt: skip
        assert told in shown
    assert "package-20" not in shown
    assert "flask" not in shown
    whole = terminal.run(gates.app, "show", "1", "--all")
    assert "package-29" in whole
    assert "flask" in whole
    assert json.loads(terminal.run(gates.app, "show", "1", "--json"))["report"]["verdict"] == "drift"


def test_a_run_is_accepted_for_a_reason(terminal: Terminal) -> None:
    assert terminal.run(gates.app, "accept", "1", "--reason", "meant") == "run 1 was accepted by token:tests: meant\n"
    assert (
        json.loads(terminal.run(gates.app, "accept", "1", "--reason", "x", "--json"))["accepted"]["reason"] == "meant"
    )
    assert "drift, accepted" in terminal.run(gates.app, "list")
    assert "by token:tests" in terminal.run(gates.app, "show", "1")


def test_a_badge_is_made_listed_and_removed(terminal: Terminal) -> None:
    assert terminal.run(gates.app, "badge") == ""
    address = terminal.run(gates.app, "badge", *MAIN).strip()
    assert "parity" in httpx.get(address).text
    assert "acme/shop" in terminal.run(gates.app, "badge")
    assert json.loads(terminal.run(gates.app, "badge", "--json"))["total"] == 1
    assert (
        terminal.run(gates.app, "badge", *MAIN, "--remove")
        == "acme/shop main against env:prod: the badge was removed\n"
    )
    assert httpx.get(address).status_code == 404
    assert json.loads(terminal.run(gates.app, "badge", *MAIN, "--json"))["repository"] == "acme/shop"


@pytest.mark.parametrize(
    "arguments",
    [
        ["show", "../hosts"],
        ["accept", "x", "--reason", "y"],
        ["badge", "--repository", "acme/shop"],
        ["badge", "--against", "env:prod"],
        ["badge", "--ref", "main"],
        ["badge", "--remove"],
    ],
)
def test_what_makes_no_sense_is_told_before_anything_is_asked(arguments: list[str], tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("x")
    settings = {"ENVPARITY_SERVER": "http://127.0.0.1:9", "ENVPARITY_TOKEN_FILE": str(token)}
    with pytest.raises(UsageError):
        Terminal(settings).run(gates.app, *arguments)
