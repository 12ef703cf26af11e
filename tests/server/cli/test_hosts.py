"""Tests of `envparity hosts` and `envparity environments`, as a person runs them against a real server."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from envparity_server.storage import access
from envparity_server.storage.database import writing
from tests.forking import Ended
from tests.server.asking import Asking
from tests.server.cli.running import envparity
from tests.server.cli.served import served
from tests.server.fleet import enrolled, reported
from tests.server.making import OPERATING_SYSTEM, host

Verb = Callable[..., Ended]
WEB = access.hashed("web-1")[:16]


@pytest.fixture
def run(small_api: Asking, tmp_path: Path) -> Iterator[Verb]:
    """Run a verb as an operator of a server with three hosts, two of them of one name."""
    with writing(small_api.engine) as connection:
        reported(connection, "web-1", host(OPERATING_SYSTEM), datetime.now(UTC), "prod", {"role": "web"})
        enrolled(connection, "dev-1", "dev")
        other = enrolled(connection, "dev-2", "dev")
        connection.exec_driver_sql(f"UPDATE host SET name = 'dev-1' WHERE id = '{other.id}'")  # noqa: S608  # hex
    token = small_api.as_role("operator").headers["Authorization"].removeprefix("Bearer ")
    with served(small_api) as address:
        yield lambda *arguments: envparity(
            tmp_path, *arguments, ENVPARITY_SERVER=address, ENVPARITY_TOKEN=token, ENVPARITY_CONFIG="/dev/null"
        )


def test_hosts_are_listed_for_people_and_for_programs(run: Verb) -> None:
    ended = run("hosts", "list")
    assert (ended.exit_code, ended.complaint) == (0, "3 hosts\n")
    rows = [line.split() for line in ended.output.splitlines()]
    assert rows[0][:2] == ["HOST", "ENVIRONMENT"]
    assert [row[:4] for row in rows if row[-1] == WEB] == [["web-1", "prod", "role=web", "fresh"]]
    told = run("hosts", "list", "web", "--environment", "prod", "--label", "role=web", "--state", "fresh", "--json")
    assert [one["id"] for one in told.document["hosts"]] == [WEB]
    nothing = run("hosts", "list", "nowhere")
    assert (nothing.exit_code, nothing.output, nothing.complaint) == (0, "", "0 hosts\n")


def test_a_host_is_shown_by_its_name_and_by_its_id(run: Verb) -> None:
    shown = run("hosts", "show", "web-1")
    assert shown.exit_code == 0, shown.complaint
    assert "state        fresh" in shown.output
    assert run("hosts", "show", WEB, "--json").document["name"] == "web-1"


def test_a_host_is_renamed_labelled_moved_and_retired(run: Verb) -> None:
    assert run("hosts", "rename", "web-1", "web 01").output == "web 01  prod  role=web  fresh\n"
    assert run("hosts", "label", "web 01", "zone=a", "role-").output == "web 01  prod  zone=a  fresh\n"
    assert run("hosts", "move", "web 01", "dev", "--json").document["environment"] == "dev"
    ended = run("hosts", "retire", "web 01", access.hashed("dev-2")[:16])
    assert [line.split()[-1] for line in ended.output.splitlines()] == ["retired", "retired"]
    assert run("hosts", "list", "--json").document["total"] == 1
    assert run("hosts", "show", WEB, "--json").document["state"] == "retired"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("hosts", "show", "nowhere"), "no host nowhere"),
        (("hosts", "retire", "web-1", "dev-1"), "several hosts are called dev-1"),
        (("hosts", "retire", "web-1", "nowhere"), "no host nowhere"),
        (("hosts", "label", "web-1", "role"), "neither KEY=VALUE nor KEY-"),
        (("hosts", "label", "web-1", "-"), "neither KEY=VALUE nor KEY-"),
        (("hosts", "move", "web-1", "prdo"), "there is no environment prdo"),
        (("hosts", "rename", "web-1", ""), "at least 1 character"),
        (("hosts", "list", "--state", "dead"), "state"),
        (("hosts", "list", "--label", "role"), "is not a label"),
        (("environments", "show", "nowhere"), "no such environment"),
        (("environments", "show", "../people"), "no name of an environment"),
        (("environments", "set", "dev", "--against", "prod"), "is not a selector"),
    ],
)
def test_what_is_wrong_is_told_and_nothing_is_done(run: Verb, arguments: tuple[str, ...], words: str) -> None:
    ended = run(*arguments)
    assert (ended.exit_code, ended.output) == (2, "")
    assert words in ended.complaint
    assert "Traceback" not in ended.complaint
    assert run("hosts", "show", WEB, "--json").document["state"] == "fresh"


def test_environments_are_listed_shown_and_set(run: Verb) -> None:
    listed = run("environments", "list")
    assert (listed.exit_code, listed.complaint) == (0, "2 environments\n")
    assert [line.split()[0] for line in listed.output.splitlines()] == ["ENVIRONMENT", "dev", "prod"]
    assert run("environments", "set", "dev", "--against", "env:prod").output.split()[-1] == "env:prod"
    assert run("environments", "show", "dev", "--json").document["hosts"]["never"] == 2
    assert run("environments", "set", "test", "--json").document["against"] is None


def test_a_reader_changes_nothing(small_api: Asking, tmp_path: Path) -> None:
    with writing(small_api.engine) as connection:
        enrolled(connection, "web-1", "prod")
    token = small_api.as_role("viewer").headers["Authorization"].removeprefix("Bearer ")
    with served(small_api) as address:
        ended = envparity(
            tmp_path, "hosts", "retire", "web-1", ENVPARITY_SERVER=address, ENVPARITY_TOKEN=token,
            ENVPARITY_CONFIG="/dev/null",
        )  # fmt: skip
    assert (ended.exit_code, ended.output) == (3, "")
    assert "it needs the role operator" in ended.complaint
