"""Tests of the evidence from requirements: who broke what is unmet, and who did not move along."""

import pytest

from tests.server.explain.situations import between, dist, environment
from tests.server.making import section


def test_who_moved_out_of_what_was_required_is_to_blame() -> None:
    requests = dist("2.28.1", "urllib3<1.27,>=1.21.1")
    found = between(
        environment({"requests": requests, "urllib3": dist("1.26.18"), "idna": dist("2.0")}),
        environment({
            "requests": {**requests, "unmet": ("urllib3<1.27,>=1.21.1 (has 2.2.1)",)},
            "urllib3": dist("2.2.1"), "idna": dist("3.0"),
        }),
    )  # fmt: skip
    assert next(iter(found)) == "urllib3"
    assert found["urllib3"].reasons[0] == (
        "requests 2.28.1 requires urllib3<1.27,>=1.21.1: the bad side has 2.2.1, the good one has 1.26.18"
    )
    assert found["urllib3"].score - found["idna"].score > 6
    assert "requests" not in found


def test_who_requires_more_than_there_was_is_to_blame() -> None:
    found = between(
        environment({"requests": dist("2.28", "urllib3>=1"), "urllib3": dist("1.26.18")}),
        environment({
            "requests": dist("2.32", "urllib3>=2", unmet=("urllib3>=2 (has 1.26.19)",)), "urllib3": dist("1.26.19"),
        }),
    )  # fmt: skip
    assert found["requests"].says("requires urllib3>=2", "the bad side has 1.26.19")
    assert not found["urllib3"].says("requires")


def test_two_that_break_it_only_together_share_the_blame() -> None:
    found = between(
        environment({"a": dist("1.0", "b>=1"), "b": dist("1.0")}),
        environment({"a": dist("2.0", "b<1.5", unmet=("b<1.5 (has 2.0)",)), "b": dist("2.0")}),
    )
    assert all(found[name].says("a 2.0 requires b<1.5") for name in ("a", "b"))


def test_a_missing_package_is_blamed_with_who_requires_it() -> None:
    app = dist("1.0", "six")
    found = between(
        environment({"app": app, "six": dist("1.16")}),
        environment({"app": {**app, "unmet": ("six (not installed)",)}}),
    )
    assert found["six"].rank == 1
    assert found["six"].says("app 1.0 requires six: the bad side does not have it, the good one has 1.16")


def test_who_newly_requires_what_nobody_has_is_to_blame() -> None:
    found = between(
        environment({"app": dist("1.0")}),
        environment({"app": dist("1.1", "six", unmet=("six (not installed)",))}),
    )
    assert found["app"].says("the bad side does not have it, nor has the good one")


def test_what_was_unmet_before_breaks_nothing() -> None:
    old = ("idna>=4 (has 2.0)",)
    found = between(
        environment({"a": dist("1.0", "idna>=4", unmet=old), "idna": dist("2.0")}),
        environment({"a": dist("1.0", "idna>=4", unmet=("idna>=4 (has 3.0)",)), "idna": dist("3.0")}),
    )
    assert not found["idna"].says("requires idna>=4: ")


def test_an_interpreter_that_moved_out_of_what_is_required_is_to_blame() -> None:
    numpy = dist("1.23.5", requires_python=">=3.8,<3.12")
    found = between(environment({"numpy": numpy}), environment({"numpy": numpy}, python="3.12.1"))
    assert found["@python"].says("numpy 1.23.5 requires Python >=3.8,<3.12", "the bad side has 3.12.1", "3.11.7")


def test_a_distribution_that_is_not_for_the_interpreter_is_to_blame() -> None:
    found = between(
        environment({"numpy": dist("1.23.5", requires_python=">=3.8")}),
        environment({"numpy": dist("2.4.0", requires_python=">=3.12")}),
    )
    assert found["numpy"].says("requires Python >=3.12", "the bad side has 3.11.7")


def test_of_an_interpreter_of_which_only_a_part_is_known_nothing_is_said() -> None:
    found = between(
        environment({"numpy": dist("1.23.5")}, python="3.11"),
        environment({"numpy": dist("2.4.0", requires_python=">=3.11.5")}, python="3.11"),
    )
    assert not found["numpy"].says("requires Python")


def test_a_dependant_that_stayed_behind_a_major_step_speaks_against_what_moved() -> None:
    flask = dist("2.2.2", "Werkzeug>=2.2.2")
    found = between(
        environment({"flask": flask, "werkzeug": dist("2.3.8"), "humanize": dist("3.0")}),
        environment({"flask": flask, "werkzeug": dist("3.0.1"), "humanize": dist("4.0")}),
    )
    assert list(found) == ["werkzeug", "humanize"]
    assert found["werkzeug"].says("flask 2.2.2 stayed as it was and requires werkzeug>=2.2.2", "major step")
    assert found["werkzeug"].says("flask depends on it")
    assert found["humanize"].says("nothing else there requires it")


def test_an_upper_bound_vouches_for_the_step() -> None:
    flask = dist("2.2.2", "Werkzeug<4,>=2.2.2")
    found = between(
        environment({"flask": flask, "werkzeug": dist("2.3.8")}),
        environment({"flask": flask, "werkzeug": dist("3.0.1")}),
    )
    assert not found["werkzeug"].says("stayed as it was")


def test_what_moved_along_with_its_dependants_is_less_likely() -> None:
    found = between(
        environment({"flask": dist("2.2.2", "werkzeug"), "werkzeug": dist("2.3.8")}),
        environment({"flask": dist("3.0.0", "werkzeug"), "werkzeug": dist("3.0.1")}),
    )
    assert found["werkzeug"].says("all that depend on it moved along")


@pytest.mark.parametrize(
    ("requirement", "depends"),
    [
        ("b>=1; python_version < '3.8'", False),
        ("b>=1; python_version >= '3.8'", True),
        ("b>=1; extra == 'more'", False),
        ("b (>=1)", True),
        ("b @ https://example.org/b-1.0.tar.gz ; python_version >= '3.8'", True),
        ("b >=> 1", False),
        ("", False),
    ],
)
def test_only_what_applies_there_counts_as_a_requirement(requirement: str, depends: bool) -> None:
    found = between(
        environment({"a": dist("1.0", requirement, "c"), "b": dist("1.0"), "c": dist("1.0")}),
        environment({"a": dist("1.0", requirement, "c"), "b": dist("2.0"), "c": dist("1.0")}),
    )
    assert found["b"].says("depends on it") == depends


def test_of_more_than_a_few_dependants_the_rest_are_counted() -> None:
    items = {name: dist("1.0", "idna") for name in "abcdef"}
    found = between(environment({**items, "idna": dist("3.4")}), environment({**items, "idna": dist("3.7")}))
    assert found["idna"].says("a, b, c and 3 more depend on it")


def test_a_lock_that_says_for_whom_each_is_there_tells_who_depends() -> None:
    good, bad = (
        section("python/uv.lock", {
            "flask": {"version": "2.2.2"}, "werkzeug": {"version": version, "via": ("flask",)},
            "humanize": {"version": version},
        }, kind="declared", schema=2)
        for version in ("2.3.8", "3.0.1")
    )  # fmt: skip
    found = between(good, bad)
    assert list(found) == ["werkzeug", "humanize"]
    assert found["werkzeug"].says("flask 2.2.2 stayed as it was", "nothing tells whether it is ready for a major step")
