"""Tests of what a question is about."""

import pytest

from envparity_agent.errors import UsageError
from envparity_server.compare.differences import compare
from envparity_server.compare.scope import EVERYTHING, parse_scope
from tests.server.making import OPERATING_SYSTEM, SEARCHED, host, packages, section

ALL = ("os", "os-packages", "python", "python/srv/shop", "python/shop", "containers", "container/shop.web",
       "container/shop", "container/shopping", "container/db")  # fmt: skip


@pytest.mark.parametrize(
    ("only", "application", "expected"),
    [
        ("", "", set(ALL)),
        ("os", "", {"os"}),
        ("python", "", {"python", "python/srv/shop", "python/shop"}),
        ("container", "", {"container/shop.web", "container/shop", "container/shopping", "container/db"}),
        ("os, os-packages", "", {"os", "os-packages"}),
        ("python/*", "", {"python/srv/shop", "python/shop"}),
        ("python/srv/shop", "", {"python/srv/shop"}),
        ("container/shop*", "", {"container/shop.web", "container/shop", "container/shopping"}),
        ("PYTHON/*", "", set()),
        ("", "shop", {"python/shop", "container/shop.web", "container/shop"}),
        ("", "nothing", set()),
    ],
)
def test_a_scope_holds_what_was_asked_about(only: str, application: str, expected: set[str]) -> None:
    scope = parse_scope(only, application)
    assert {path for path in ALL if scope.holds(section(path))} == expected


def test_no_words_are_everything() -> None:
    assert parse_scope() == EVERYTHING
    assert parse_scope(" , ") == EVERYTHING


@pytest.mark.parametrize("word", ["pyhton", "Python", "os,pyhton"])
def test_a_word_that_is_no_kind_and_no_path_is_refused(word: str) -> None:
    with pytest.raises(UsageError, match="no kind of section") as refused:
        parse_scope(word)
    assert "os-packages" in refused.value.advice


def test_an_application_and_kinds_exclude_each_other() -> None:
    with pytest.raises(UsageError, match="exclude each other"):
        parse_scope("os", "shop")


def test_what_nobody_asked_about_is_not_compared() -> None:
    left = host(OPERATING_SYSTEM, SEARCHED, packages({"idna": "3.4"}))
    right = host(section("os"), SEARCHED, packages({"idna": "3.7"}))
    found = compare(left, right, parse_scope("os"))
    assert {one.section for one in found.differences} == {"os"}
    assert (found.examined, found.same, found.unexamined) == (1, 0, ())


def test_a_section_is_in_scope_if_either_side_of_its_pair_is() -> None:
    left = host(packages({"a": "1.0"}, "python/shop"))
    right = host(packages({"a": "2.0"}, "python/srv/app"))
    assert compare(left, right, parse_scope("", "shop")).examined == 1
    assert compare(right, left, parse_scope("", "shop")).examined == 1
