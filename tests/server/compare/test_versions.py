"""Tests of version distance: a label for people that no text can break."""

import pytest
from hypothesis import example, given

from envparity_server.compare.model import Distance
from envparity_server.compare.versions import equal, python_distance, system_distance
from tests.server.making import version_texts


@pytest.mark.parametrize(
    ("left", "right", "distance"),
    [
        ("1.2.3", "2.0", Distance.MAJOR),
        ("1.2.3", "1.3", Distance.MINOR),
        ("1.2.3", "1.2.4", Distance.PATCH),
        ("1.2.3.1", "1.2.3.2", Distance.PATCH),
        ("1.2", "1.2.1", Distance.PATCH),
        ("2.0rc1", "2.0", Distance.PRE),
        ("2.0.dev1", "2.0", Distance.PRE),
        ("2.0a1", "2.0b1", Distance.PRE),
        ("2.0", "2.0.0rc1", Distance.PRE),
        ("2.0", "2.0.post1", Distance.PATCH),
        ("2.0", "2.0.0.post1", Distance.PATCH),
        ("2.1.0+cu121", "2.1.0+cpu", Distance.LOCAL),
        ("2.1+cu121", "2.1.0+cpu", Distance.LOCAL),
        ("1.0", "1!1.0", Distance.UNORDERED),
        ("1.0", "2004d-legacy", Distance.UNORDERED),
        ("1.0", "", Distance.UNORDERED),
        ("1.0", "9" * 5000, Distance.UNORDERED),
    ],
)
def test_the_distance_of_two_python_versions_is_read_by_pep_440(left: str, right: str, distance: Distance) -> None:
    assert python_distance(left, right) == distance
    assert python_distance(right, left) == distance


@pytest.mark.parametrize(
    ("left", "right", "distance"),
    [
        ("1.1.1n-0+deb11u5", "3.0.11-1~deb12u2", Distance.MAJOR),
        ("3.0.11-1", "3.1.0-1", Distance.MINOR),
        ("3.0.11-1", "3.0.13-1", Distance.PATCH),
        ("3.0.11-1", "3.0.11-2", Distance.PATCH),
        ("1:9.2p1-2", "1:9.3p1-1", Distance.MINOR),
        ("6.1.0-18-amd64", "6.1.0-25-amd64", Distance.PATCH),
        ("12.5", "13.1", Distance.MAJOR),
        ("1.2", "1.2.0", Distance.UNORDERED),
        ("unstable", "testing", Distance.UNORDERED),
        ("9" * 5000, "8" * 5000, Distance.MAJOR),
        ("5.14.0-362.el9", "5.14.0-427.el9", Distance.PATCH),
        ("7:2.4.57-5.el9", "7:2.5.0-1.el9", Distance.MINOR),
        ("0:1.0-1", "1.0-2", Distance.PATCH),
        ("1:1.0-1", "2:1.0-1", Distance.UNORDERED),
        ("1.0-1", "1:0.9-1", Distance.UNORDERED),
        ("1.36.1-r2", "1.36.1-r15", Distance.PATCH),
        ("1.36.1-r2", "1.37.0-r0", Distance.MINOR),
        ("1.1_git20240101-r0", "1.1_git20250202-r0", Distance.PATCH),
        ("5_git1-r0", "6_git1-r0", Distance.MAJOR),
        ("9.3_p1-r3", "9.3_p2-r0", Distance.PATCH),
        ("3.0_rc1-r0", "3.0-r0", Distance.PRE),
        ("3.0_alpha1-r0", "3.0_beta1-r0", Distance.PRE),
        ("2.4~rc1-3", "2.4-1", Distance.PRE),
        ("2.4-3", "2.4^20240101git-1", Distance.PATCH),
        ("12.4+deb12u5", "12.4+deb12u10", Distance.PATCH),
        ("1.1.1n-0+deb11u5", "1.1.1w-0+deb11u1", Distance.PATCH),
    ],
)
def test_the_distance_of_two_system_versions_is_that_of_upstreams_numbers(
    left: str, right: str, distance: Distance
) -> None:
    assert system_distance(left, right) == distance
    assert system_distance(right, left) == distance


@given(version_texts, version_texts)
@example("1", "1.0.0rc1")
@example("1+a", "1.0+b")
def test_the_distance_of_python_versions_is_symmetric_and_never_raises(left: str, right: str) -> None:
    assert isinstance(python_distance(left, right), Distance)
    assert python_distance(left, right) == python_distance(right, left)


@given(version_texts, version_texts)
@example("1", "1.0")
@example("0:1", "1.0-")
@example("\N{SUPERSCRIPT TWO}:1", "1")
@example("_", "~")
@example(":", "-")
def test_the_distance_of_system_versions_is_symmetric_and_never_raises(left: str, right: str) -> None:
    assert isinstance(system_distance(left, right), Distance)
    assert system_distance(left, right) == system_distance(right, left)


@pytest.mark.parametrize(("left", "right"), [("1.0", "1.0.0"), ("1.0", "v1.0"), ("1.0rc1", "1.0.rc.1"), ("x", "x")])
def test_versions_are_equal_by_pep_440(left: str, right: str) -> None:
    assert equal(left, right)


@pytest.mark.parametrize(("left", "right"), [("1.0", "1.0+cpu"), ("1.0", "1.0.1"), ("x", "X"), ("x", "y"), ("1", "")])
def test_versions_are_unequal_where_they_are_in_earnest(left: str, right: str) -> None:
    assert not equal(left, right)


@given(version_texts, version_texts)
def test_equality_of_versions_is_symmetric_and_never_raises(left: str, right: str) -> None:
    assert equal(left, right) == equal(right, left)
    assert equal(left, left)
