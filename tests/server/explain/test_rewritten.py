"""Checks that a file which lost or gained the word that an error names is blamed, and reading which words it did."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from envparity_agent.collectors.interface import Options
from envparity_agent.targets import fingerprint
from envparity_server.cli.rewritten import rewritten
from envparity_server.compare.differences import compare
from envparity_server.explain.failures import parse_failure
from envparity_server.explain.model import Rewritten, Suspect
from envparity_server.explain.rewritten import of_rewritten
from tests.agent.trees import put
from tests.server.explain.situations import situation
from tests.server.making import host

STEP, VIEW = Suspect("app/shop", "file:schema/003.sql"), Suspect("app/shop", "file:views.html")
CHANGED = {
    STEP: Rewritten(frozenset({"reminded_on", "date"}), frozenset({"reminder_date"})),
    VIEW: Rewritten(frozenset({"total"}), frozenset({"grand_total", "MAX_ROWS"})),
}


def blamed(printed: str, changed: Mapping[Suspect, Rewritten] = CHANGED) -> dict[str, float]:
    asked = replace(situation(host(), host(name="b")), failure=parse_failure(printed), rewritten=changed)
    return {one.suspect.item: one.points for one in of_rewritten(asked)}


@pytest.mark.parametrize(
    ("printed", "expected"),
    [
        ("sqlite3.OperationalError: no such column: reminded_on", STEP),
        ("jinja2.UndefinedError: 'grand_total' is undefined", VIEW),
        ("ValueError: MAX_ROWS is no number", VIEW),
        ("ERROR  not sent: no column `reminded_on`", STEP),
    ],
)
def test_the_file_that_lost_or_gained_what_the_error_names_is_blamed(printed: str, expected: Suspect) -> None:
    assert blamed(printed).keys() == {expected.item}


def test_a_word_that_went_away_says_more_than_one_that_came() -> None:
    assert blamed("KeyError: 'reminded_on'")[STEP.item] > blamed("KeyError: 'reminder_date'")[STEP.item]


@pytest.mark.parametrize("printed", ["ValueError: the date is not in the total", "KeyError: 'colour'"])
def test_a_word_of_a_sentence_and_one_that_stayed_say_nothing(printed: str) -> None:
    assert not blamed(printed)


@pytest.fixture
def roots(tmp_path: Path) -> tuple[str, str]:
    """Two roots with an application of three files, of which one was rewritten and one is no text."""
    for side, step in (("good", "ALTER TABLE a ADD reminded_on"), ("bad", "ALTER TABLE a ADD reminder_date")):
        put(tmp_path / side, "srv/shop/003.sql", step)
        put(tmp_path / side, "srv/shop/app.py", "import a\n")
        put(tmp_path / side, f"srv/shop/{side}.txt", "only_here\n")
        (tmp_path / side / "srv/shop/logo.png").write_bytes(b"\xff\xfe" + side.encode())
    return f"root:{tmp_path / 'good'}", f"root:{tmp_path / 'bad'}"


def test_the_words_of_each_side_alone_are_read_from_both_roots(roots: tuple[str, str]) -> None:
    options = Options(applications={"shop": "/srv/shop"})
    left, right = (fingerprint(one, options) for one in roots)
    found = rewritten(*roots, compare(left, right), left, right)
    assert found == {
        Suspect("app/shop", "file:003.sql"): Rewritten(frozenset({"reminded_on"}), frozenset({"reminder_date"})),
        Suspect("app/shop", "file:good.txt"): Rewritten(frozenset({"only_here"}), frozenset()),
        Suspect("app/shop", "file:bad.txt"): Rewritten(frozenset(), frozenset({"only_here"})),
    }


def test_of_what_cannot_be_read_here_nothing_is_read(roots: tuple[str, str]) -> None:
    options = Options(applications={"shop": "/srv/shop"})
    left, right = (fingerprint(one, options) for one in roots)
    assert rewritten(roots[0], "host:web-1", compare(left, right), left, right) == {}
