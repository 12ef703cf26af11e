"""Tests of `envparity outcome` against a server on a socket."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine

from envparity_agent.errors import UsageError
from envparity_server.app import create_app
from envparity_server.cli.outcome import app
from envparity_server.storage.database import writing
from tests.server.asking import Asking
from tests.server.cli.served import served
from tests.server.cli.test_drifts import Terminal
from tests.server.fleet import enrolled, report
from tests.server.making import OPERATING_SYSTEM, SEARCHED, host, packages

REPORT = '<testsuite><testcase name="a"><failure/></testcase><testcase name="b"/></testsuite>'


@pytest.fixture
def terminal(sqlite: Engine, tmp_path: Path) -> Iterator[Terminal]:
    """An operator of a server with hosts of two kinds."""
    with writing(sqlite) as connection:
        for number in range(12):
            pinned = {"urllib3": "2.2.1" if number < 6 else "2.0.7"}
            ran = host(OPERATING_SYSTEM, SEARCHED, packages(pinned, "python/app"))
            report(connection, enrolled(connection, f"web-{number}"), ran, datetime.now(UTC))
    operator = Asking(create_app(sqlite), sqlite).as_role("operator")
    token = tmp_path / "token"
    token.write_text(operator.headers["Authorization"].removeprefix("Bearer "))
    token.chmod(0o600)
    with served(operator) as address:
        yield Terminal({"ENVPARITY_SERVER": address, "ENVPARITY_TOKEN_FILE": str(token)})


def test_what_was_told_is_listed_and_explained(terminal: Terminal) -> None:
    assert terminal.run(app, "list").startswith("no outcome was told")
    for number in range(12):
        outcome = "fail" if number < 6 else "pass"
        assert (
            terminal.run(app, outcome, "smoke", "--host", f"host:web-{number}") == f"smoke on web-{number}: {outcome}\n"
        )
    listed = terminal.run(app, "list", "smoke").splitlines()
    assert (len(listed), listed[1].split()[:4]) == (13, ["smoke", "pass", "web-11", "prod"])
    told = terminal.run(app, "explain", "smoke", "--of", "env:prod")
    assert told.startswith("smoke: 6 failing, 6 passing\n1. on 6 of 6 failing and 0 of 6 passing: urllib3 2.2.1\n")
    assert '"doubt": ""' in terminal.run(app, "explain", "smoke", "--json")


def test_a_report_labels_each_test_with_what_the_job_ran(terminal: Terminal, tmp_path: Path) -> None:
    (tmp_path / "report.xml").write_text(REPORT)
    (tmp_path / "requirements.txt").write_text("idna==3.7\n")
    target = ("--target", str(tmp_path / "requirements.txt"))
    told = terminal.run(app, "junit", str(tmp_path / "report.xml"), "--job", "tests", "--run", "512", *target)
    assert told == "2 checks on tests/512: 1 fail, 1 pass\n"
    assert [line.split()[:4] for line in terminal.run(app, "list").splitlines()[1:]] == [
        ["a", "fail", "tests/512", "ci"], ["b", "pass", "tests/512", "ci"]
    ]  # fmt: skip
    assert terminal.run(app, "explain", "a").splitlines()[1].startswith("cannot tell: 1 failing run, 0 passing")


@pytest.mark.parametrize(
    "arguments",
    [
        ["fail", "smoke"],
        ["fail", "smoke", "--host", "host:web-1", "--job", "tests", "--run", "1"],
        ["pass", "smoke", "--job", "tests"],
        ["pass", "smoke", "--host", "host:web-1", "--run", "1"],
        ["pass", "smoke", "--host", "web-1"],
        ["junit", "nowhere.xml", "--host", "host:web-1"],
        ["junit", "\0", "--host", "host:web-1"],
    ],
)
def test_what_makes_no_sense_is_told_before_anything_is_asked(arguments: list[str], tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("x")
    settings = {"ENVPARITY_SERVER": "http://127.0.0.1:9", "ENVPARITY_TOKEN_FILE": str(token)}
    with pytest.raises(UsageError):
        Terminal(settings).run(app, *arguments)
