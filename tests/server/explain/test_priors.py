"""Tests of what is likely before more is known: steps of versions, what is missing, what was rebuilt or unread."""

from datetime import UTC, datetime

import pytest

from envparity_agent.fingerprint import Attributes, Reason, Status
from envparity_server.compare.differences import compare
from envparity_server.drift.rules import Subject, applied, rule_of
from envparity_server.drift.severity import rate
from envparity_server.explain.causes import explain
from envparity_server.explain.model import Situation
from tests.server.explain.situations import between, causes, dist, environment, found
from tests.server.making import host, section


def test_a_greater_step_is_likelier_and_equal_ones_go_by_name() -> None:
    moved = {
        "patch": ("1.0.0", "1.0.1"), "minor": ("1.0", "1.1"), "major": ("1.0", "2.0"), "also-major": ("1.0", "2.0"),
        "zero": ("0.27.2", "0.28.1"), "year": ("2023.1", "2024.2"), "many": ("65.0", "80.0"),
    }  # fmt: skip
    sides = (
        section("python/list", {name: {"version": pair[side]} for name, pair in moved.items()}, kind="declared")
        for side in (0, 1)
    )
    told = between(*sides)
    assert list(told) == ["also-major", "major", "zero", "many", "minor", "year", "patch"]
    assert told["major"].reasons == ("the version goes from 1.0 to 2.0, a major step",)
    assert told["zero"].says("below 1.0 a minor step may break")
    assert told["year"].says("these count years")


def test_versions_without_an_order_are_said_to_have_none() -> None:
    told = between(environment({"a": dist("1.0-custom-x")}), environment({"a": dist("banana")}))
    assert told["a"].says("these have no order")


def test_what_is_missing_weighs_more_than_what_is_added() -> None:
    told = between(environment({"gone": dist("1.0")}), environment({"new": dist("1.0")}))
    assert list(told) == ["gone", "new"]
    assert told["new"].score < 0


def test_the_same_version_with_other_content_is_told_from_other_metadata() -> None:
    told = between(
        environment({"a": dist("1.0"), "b": dist("1.0")}),
        environment({
            "a": {**dist("1.0"), "content": "sha256:x", "code": "sha256:x"},
            "b": {**dist("1.0"), "content": "sha256:x"},
        }),
    )  # fmt: skip
    assert told["a"].says("the same version has other content")
    assert told["b"].says("other metadata")
    assert told["a"].rank < told["b"].rank


@pytest.mark.parametrize(
    ("good", "bad", "word"),
    [
        ({"commit": "a" * 40}, {"commit": "b" * 40}, "another commit"),
        ({"editable": True, "head": "a"}, {"editable": True, "head": "b"}, "checkout is at another commit"),
        ({"editable": True, "head": "a"}, {"editable": True, "head": "a", "dirty": True}, "in no commit"),
        ({}, {"problem": "no metadata"}, "broken: no metadata"),
    ],
)
def test_where_a_distribution_came_from_is_a_reason(good: Attributes, bad: Attributes, word: str) -> None:
    told = between(environment({"a": {**dist("1.0"), **good}}), environment({"a": {**dist("1.0"), **bad}}))
    assert told["a"].says(word)


def test_another_minor_version_of_python_weighs_more_than_a_patch() -> None:
    minor = between(environment({}), environment({}, python="3.12.1"))["@python"]
    patch = between(environment({}), environment({}, python="3.11.9"))["@python"]
    assert minor.score > patch.score == 0
    assert minor.says("Python is 3.12.1 instead of 3.11.7")


def test_packages_of_the_system_come_after_those_of_python() -> None:
    os_good = section("os-packages", {"a": {"version": "1.0"}, "b": {"version": "1.0-1"}, "c": {"version": "1"}})
    os_bad = section("os-packages", {"a": {"version": "2.0"}, "b": {"version": "1.0-2"}, "d": {"version": "1"}})
    told = causes(
        host(section("python"), environment({"idna": dist("3.4"), "x": dist("1.0", "idna")}), os_good),
        host(section("python"), environment({"idna": dist("4.0"), "x": dist("1.0", "idna")}), os_bad),
    )
    assert list(told) == ["idna", "a", "c", "b", "d"]


def test_what_could_not_be_compared_stays_in_the_list_and_low() -> None:
    told = causes(
        host(section("containers"), environment({"a": dist("1.0")}), section("python")),
        host(section("containers", {}, Status.FAILED, Reason.PERMISSION), environment({"a": dist("1.0.1")}),
             section("python")),
    )  # fmt: skip
    assert list(told) == ["a", ""]
    assert told[""].says("could not be told")


def test_what_a_rule_expects_is_the_last_suspect() -> None:
    rule = rule_of({"match": "python/*/a", "reason": "comes with the next release"})
    good, bad = (host(section("python"), environment({"a": dist(v), "b": dist(f"1.0.{v}")})) for v in ("1.0", "2.0"))
    comparison = applied(rate(compare(good, bad)), (rule,), (Subject("web-1"),), datetime.now(UTC))
    told = [found(one) for one in explain(Situation(good, bad, comparison)).causes]
    assert told[-1].reasons == ("a rule expects the difference: comes with the next release",)


def test_two_lists_of_versions_say_what_is_not_known_of_them() -> None:
    good, bad = (section("python/x", {"a": {"version": v}}, kind="declared") for v in ("1.0", "2.0"))
    notes = explain(Situation(host(good), host(bad), compare(host(good), host(bad)))).notes
    assert any("lists of versions" in one for one in notes)
    assert any("no traceback" in one for one in notes)
