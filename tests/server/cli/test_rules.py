"""Tests of `envparity rules`: a person's decisions through the API, and a project's file without any server."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from envparity_server.storage import access
from envparity_server.storage.database import open_database, writing
from tests.forking import PROGRAM, Ended
from tests.server.asking import LIFE
from tests.server.cli.running import envparity
from tests.server.fleet import reported
from tests.server.making import ENGINE, OPERATING_SYSTEM, SEARCHED, host, packages
from tests.system.serving import served

ROOT = Path(__file__).parents[3]
FILE = """\
[severity]
"os" = "high"

[[rule]]
match = "python/*/idna"
hosts = "env:prod"
reason = "being rolled out"

[[rule]]
match = "*"
reason = "noise"
expires = 2020-03-01
"""

Verb = Callable[..., Ended]


@pytest.fixture
def rules(tmp_path: Path, sqlite_url: str) -> Iterator[Verb]:
    """Runs a verb of `envparity rules` as an operator of a server that knows three hosts, of which one deviates."""
    if not PROGRAM.exists():
        pytest.skip("the program envparity is missing: pip install -e .")
    engine = open_database(sqlite_url)
    now = datetime.now(UTC)
    with writing(engine) as connection:
        token = access.make_access_token(connection, "operator", "tests", LIFE, now)
        for name, version in (("web-1", "3.7"), ("web-2", "3.7"), ("web-3", "3.4")):
            reported(connection, name, host(OPERATING_SYSTEM, SEARCHED, ENGINE, packages({"idna": version})), now)
    engine.dispose()
    with served(tmp_path, sqlite_url) as server:
        yield lambda *words, **more: envparity(
            tmp_path, "rules", *words, ENVPARITY_SERVER=server.address, ENVPARITY_TOKEN=token, **more
        )


def test_a_person_previews_makes_changes_and_removes_a_rule(rules: Verb) -> None:
    match = "python/*/idna"
    seen = rules("preview", match, "--hosts", "env:prod")
    assert "hides 100 % of what differs now: 1 of 1 differences, on 1 of 3 hosts" in seen.output
    assert "python/srv/shop  idna  3.4 → 3.7  on 1 hosts" in seen.output
    made = rules("add", match, "--hosts", "env:prod", "--reason", "rolling out", "--expires", "2099-03-01", "--json")
    assert (made.exit_code, "hides 100 %" in made.complaint) == (0, True)
    id = made.document["id"]
    listed = rules("list", "--state", "never-hit")
    assert f"{id}  python/*/idna  env:prod  is expected  rolling out" in listed.output
    changed = rules("change", id, "--no-end", "--owner", "ada")
    assert ["owner", "ada"] in [line.split() for line in changed.output.splitlines()]
    assert ["ends", "never"] in [line.split() for line in rules("show", id).output.splitlines()]
    assert rules("remove", id).exit_code == 0
    for words in (("show", id), ("change", id, "--reason", "why"), ("remove", id)):
        gone = rules(*words)
        assert (gone.exit_code, f"no rule {id}" in gone.complaint) == (2, True)
    assert rules("list", "--state", "old").exit_code == 2
    empty = rules("list")
    assert (empty.output, empty.complaint) == ("", "no rules\n")


def test_a_file_is_imported_and_again_changes_nothing(tmp_path: Path, rules: Verb) -> None:
    (tmp_path / "envparity.toml").write_text(FILE)
    first = rules("import")
    assert first.output == "2 added, 0 changed, 0 unchanged\n"
    assert "fits whatever differs" in first.complaint
    assert "[severity]" in first.complaint
    assert rules("import", "envparity.toml", "--json").document["unchanged"] == 2
    found = rules("list", "--json").document
    assert (found["total"], [one["state"] for one in found["rules"]]) == (2, ["active", "expired"])
    assert "2020-03-01 (expired)" in rules("list", "--state", "expired").output


@pytest.mark.parametrize(
    "words",
    [
        ("show", "../hosts"),
        ("change", "f" * 16),
        ("change", "f" * 16, "--expires", "2099-01-01", "--no-end"),
        ("add", "os", "--reason", "why", "--hosts", "prod"),
        ("add", "os", "--reason", " "),
        ("add", "os", "--reason", "why", "--expires", "soon"),
        ("preview", "os", "--severity", "worst"),
        ("import", "nowhere.toml"),
        ("import",),
    ],
)
def test_a_wrong_question_is_told_in_words_and_asks_nobody(tmp_path: Path, words: tuple[str, ...]) -> None:
    nobody = {"ENVPARITY_SERVER": "http://127.0.0.1:9", "ENVPARITY_TOKEN": "secret"}
    ended = envparity(tmp_path, "rules", *words, **nobody)
    assert (ended.exit_code, ended.output, bool(ended.complaint)) == (2, "", True)
    assert "Traceback" not in ended.complaint


def test_a_file_is_checked_without_a_server(tmp_path: Path) -> None:
    (tmp_path / "envparity.toml").write_text(FILE)
    ended = envparity(tmp_path, "rules", "check")
    place = f"{tmp_path / 'envparity.toml'}, line 10"
    assert (ended.exit_code, ended.output.splitlines()) == (
        0,
        [
            f"{tmp_path / 'envparity.toml'}: 2 rules, 1 severities",
            f"{place}: * expired on 2020-03-01 and covers nothing",
            f"{place}: * fits whatever differs: name a section",
        ],
    )
    assert envparity(tmp_path, "rules", "check", "--json").document["severities"] == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[[rule]]\nmatch = "os"\nreason = "why"\nhosts = "prod"\n', "line 4: hosts: 'prod' is not a selector"),
        ('[[rule]]\nmatch = "os"\nreason = "why"\n\nseverity = "worst"\n', "line 5: 'worst' is no severity"),
        ('[severity]\n"os" = "low"\n"python/*" = { huge = "low" }\n', "line 3: 'huge' is no version distance"),
        ('[severity]\n"os" = "lowest"\n', "line 2: 'lowest' is no severity"),
    ],
)
def test_what_is_wrong_in_a_file_is_told_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "ours.toml").write_text(text)
    ended = envparity(tmp_path, "rules", "check", "ours.toml")
    assert (ended.exit_code, ended.output) == (2, "")
    assert f"ours.toml, {message}" in ended.complaint


def test_the_example_is_a_right_file(tmp_path: Path) -> None:
    ended = envparity(tmp_path, "rules", "check", ROOT / "examples/envparity.toml")
    assert (ended.exit_code, ended.output.splitlines()) == (
        0,
        [f"{ROOT / 'examples/envparity.toml'}: 3 rules, 3 severities"],
    )


def test_where_there_is_no_file_that_is_told(tmp_path: Path) -> None:
    ended = envparity(tmp_path, "rules", "check")
    assert (ended.exit_code, "no envparity.toml here" in ended.complaint) == (2, True)
