"""Tests of how much each difference matters."""

import pytest
from hypothesis import given

from envparity_agent.fingerprint import Fingerprint
from envparity_server.compare.model import UNKNOWN_STATES, Difference, Distance, Severity, State
from envparity_server.drift.severity import rate, severity
from tests.server.making import compared, twins

CASES: dict[str, tuple[str, str, str, State, Distance | None, Severity]] = {
    "another major version": ("python", "idna", "version", State.CHANGED, Distance.MAJOR, Severity.HIGH),
    "another minor version": ("python", "idna", "version", State.CHANGED, Distance.MINOR, Severity.MEDIUM),
    "another patch": ("python", "idna", "version", State.CHANGED, Distance.PATCH, Severity.LOW),
    "a pre-release": ("python", "idna", "version", State.CHANGED, Distance.PRE, Severity.MEDIUM),
    "another local version": ("python", "torch", "version", State.CHANGED, Distance.LOCAL, Severity.MEDIUM),
    "other content": ("python", "idna", "content", State.CHANGED, Distance.REBUILD, Severity.MEDIUM),
    "other metadata": ("python", "idna", "metadata", State.CHANGED, Distance.REBUILD, Severity.LOW),
    "versions without order": ("python", "idna", "version", State.CHANGED, Distance.UNORDERED, Severity.MEDIUM),
    "a distribution that is missing": ("python", "idna", "version", State.ONLY_LEFT, None, Severity.HIGH),
    "a declared one that is missing": ("declared", "idna", "version", State.ONLY_LEFT, None, Severity.HIGH),
    "a Python that the file is not for": ("python", "@python", "specifier", State.CHANGED, None, Severity.HIGH),
    "another image than a file declares": (
        "container", "image", "reference", State.CHANGED, Distance.UNORDERED, Severity.HIGH
    ),
    "a shadowed one": ("python", "idna#lib/idna", "version", State.ONLY_LEFT, None, Severity.LOW),
    "a wheel for another platform": ("python", "idna", "tags", State.CHANGED, None, Severity.LOW),
    "another major Python": ("python", "@python", "version", State.CHANGED, Distance.MAJOR, Severity.CRITICAL),
    "another minor Python": ("python", "@python", "version", State.CHANGED, Distance.MINOR, Severity.HIGH),
    "another patch of Python": ("python", "@python", "version", State.CHANGED, Distance.PATCH, Severity.LOW),
    "a Python environment on one side": ("python", "", "", State.ONLY_LEFT, None, Severity.LOW),
    "another major version of an OS package": (
        "os-packages", "openssl", "version", State.CHANGED, Distance.MAJOR, Severity.MEDIUM
    ),
    "another patch of an OS package": ("os-packages", "curl", "version", State.CHANGED, Distance.PATCH, Severity.LOW),
    "an OS package that is missing": ("os-packages", "curl", "version", State.ONLY_RIGHT, None, Severity.LOW),
    "another release of the system": ("os", "distribution", "version", State.CHANGED, Distance.MAJOR, Severity.HIGH),
    "another system": ("os", "distribution", "id", State.CHANGED, None, Severity.HIGH),
    "another point release": ("os", "distribution", "point_release", State.CHANGED, Distance.MINOR, Severity.MEDIUM),
    "another image": ("container", "image", "config", State.CHANGED, Distance.REBUILD, Severity.CRITICAL),
    "another name of the same image": ("container", "image", "reference", State.CHANGED, None, Severity.INFO),
    "a file that was patched": ("container", "layer:/srv/a", "change", State.ONLY_LEFT, None, Severity.HIGH),
    "a tag that moved": ("container", "tag", "moved", State.CHANGED, None, Severity.MEDIUM),
    "a container on one side": ("container", "", "", State.ONLY_LEFT, None, Severity.HIGH),
    "another engine": ("containers", "engine", "version", State.CHANGED, Distance.MAJOR, Severity.LOW),
    "another commit": ("application", "code", "commit", State.CHANGED, None, Severity.HIGH),
    "a dirty checkout": ("application", "code", "dirty", State.CHANGED, None, Severity.HIGH),
    "another file of code": ("application", "file:shop.py", "content", State.CHANGED, None, Severity.MEDIUM),
    "a file of code on one side": ("application", "file:shop.py", "", State.ONLY_LEFT, None, Severity.MEDIUM),
    "code that only one side has": ("application", "code", "commit", State.ONLY_LEFT, None, Severity.HIGH),
    "another machine": ("machine", "cpu", "model", State.CHANGED, None, Severity.INFO),
    "a container that could not be read": ("container", "", "", State.UNKNOWN, None, Severity.INFO),
    "images that cannot be compared": ("container", "image", "content", State.INCOMPARABLE, None, Severity.INFO),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_difference_is_as_severe_as(case: str) -> None:
    kind, item, attribute, state, distance, expected = CASES[case]
    assert severity(Difference("a/b", kind, item, attribute, state, distance=distance)) == expected


@given(twins())
def test_rating_changes_nothing_but_severity_and_order(sides: tuple[Fingerprint, Fingerprint]) -> None:
    found = compared(sides)
    rated = rate(found)
    assert sorted(one.id for one in rated.differences) == sorted(one.id for one in found.differences)
    assert [one.severity for one in rated.differences] == sorted(
        (one.severity for one in rated.differences), reverse=True
    )
    assert all(one.severity == Severity.INFO for one in rated.differences if one.state in UNKNOWN_STATES)
    assert (rated.same, rated.examined, rated.unexamined) == (found.same, found.examined, found.unexamined)
