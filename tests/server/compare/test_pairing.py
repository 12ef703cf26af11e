"""Tests of which section is held against which."""

from collections import Counter

from hypothesis import given

from envparity_agent.fingerprint import Fingerprint, Section
from envparity_server.compare.pairing import pair
from tests.server.making import ENGINE, fingerprints, packages, section

Pairs = list[tuple[str | None, str | None, str | None]]


def paired(left: list[Section], right: list[Section]) -> Pairs:
    """The paths of each pair, and why it is one where the paths differ."""
    return [
        (one.path if one else None, other.path if other else None, found.why if found else None)
        for one, other, found in pair({one.path: one for one in left}, {one.path: one for one in right})
    ]


def names(*found: str) -> dict[str, str]:
    """Distributions of these names."""
    return dict.fromkeys(found, "1.0")


def test_equal_paths_are_a_pair_whatever_they_hold() -> None:
    left, right = packages(names("a")), packages(names("b"))
    assert paired([left], [right]) == [("python/srv/shop", "python/srv/shop", None)]


def test_another_python_version_in_the_same_place_is_the_same_environment() -> None:
    left = packages(names("a"), "python/usr/lib/python3.11")
    right = packages(names("b"), "python/usr/lib/python3.13")
    more = packages(names("c"), "python/srv/else")
    assert paired([left, more], [right, more])[1:] == [
        ("python/usr/lib/python3.11", "python/usr/lib/python3.13", "the same place, another Python version")
    ]


def test_environments_of_unlike_paths_are_paired_by_what_they_hold() -> None:
    left = [packages(names("a", "b", "c"), "python/home/dev"), packages(names("x", "y"), "python/home/tools")]
    right = [packages(names("x", "y"), "python/opt/tools"), packages(names("a", "b", "d"), "python/srv/app")]
    assert paired(left, right) == [
        ("python/home/tools", "python/opt/tools", "100 % of the package names in common"),
        ("python/home/dev", "python/srv/app", "50 % of the package names in common"),
    ]


def test_the_surest_pair_comes_first() -> None:
    left = [packages(names("a", "b"), "python/1"), packages(names("a", "b", "c"), "python/2")]
    right = [packages(names("a", "b", "c"), "python/3"), packages(names("z"), "python/4")]
    assert paired(left, right)[0][:2] == ("python/2", "python/3")


def test_environments_with_little_in_common_are_not_paired() -> None:
    left = [packages(names("a", "b", "c", "d"), "python/1"), packages(names("l"), "python/2")]
    right = [packages(names("a", "x", "y", "z"), "python/3"), packages(names("r"), "python/4")]
    assert [why for _, _, why in paired(left, right)] == [None] * 4


def test_the_one_environment_that_was_named_is_compared_with_what_is_nearest() -> None:
    left = [packages(names("a", "b"), "python/.venv")]
    right = [packages(names("x", "y", "z"), "python/1"), packages(names("a", "q", "r", "s"), "python/2")]
    assert paired(left, right)[0][:2] == ("python/.venv", "python/2")


def test_a_requirements_file_is_held_against_an_installed_environment() -> None:
    written = section("python/requirements.txt", {"a": {"version": "1"}}, kind="declared")
    assert paired([written], [packages(names("a"))])[0][:2] == ("python/requirements.txt", "python/srv/shop")


def test_shadowed_distributions_and_the_interpreter_count_for_no_likeness() -> None:
    left = [packages(names("@python", "a#lib", "b"), "python/1"), packages(names("q"), "python/2")]
    right = [packages(names("@python", "a#lib", "c"), "python/3"), packages(names("r"), "python/4")]
    assert [why for _, _, why in paired(left, right)] == [None] * 4


def test_containers_are_paired_by_their_names_only() -> None:
    image = {"image": {"config": "sha256:a"}}
    left, right = section("container/web", image), section("container/web-1", image)
    for hosts in (([left, ENGINE], [right]), ([left], [right, ENGINE]), ([left, ENGINE], [right, ENGINE])):
        assert {("container/web", None, None), (None, "container/web-1", None)} <= set(paired(*hosts))


def test_the_two_containers_that_were_named_are_a_pair() -> None:
    left, right, more = (section(f"container/{name}") for name in ("web", "web-1", "db"))
    assert paired([left], [right]) == [("container/web", "container/web-1", "the two containers that were named")]
    assert len(paired([left], [right, more])) == 3


@given(fingerprints(), fingerprints())
def test_every_section_is_held_against_something_or_alone_exactly_once(left: Fingerprint, right: Fingerprint) -> None:
    found = list(pair(left.sections, right.sections))
    assert Counter(one.path for one, _, _ in found if one) == Counter(left.sections.keys())
    assert Counter(other.path for _, other, _ in found if other) == Counter(right.sections.keys())
    assert all((said is not None) == bool(one and other and one.path != other.path) for one, other, said in found)
