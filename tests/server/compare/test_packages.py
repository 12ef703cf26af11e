"""Checks how two OS packages compare: version first, and content only where the version is the same."""

import pytest

from envparity_agent.fingerprint import Attributes
from envparity_server.compare.differences import compare
from envparity_server.compare.model import Distance, State
from tests.server.making import host, section, told

RPM = {"version": "1.0-1.el9", "architecture": "x86_64", "manager": "rpm", "content": "sha256:aa"}
APK = {"version": "1.0-r0", "architecture": "x86_64", "manager": "apk", "content": "Q1aa="}


def findings(left: Attributes, right: Attributes) -> list[tuple[str, State, Distance | None]]:
    one, other = (host(section("os-packages", {"curl": body}, schema=2)) for body in (left, right))
    return [(attribute, state, distance) for _, _, attribute, state, distance in told(compare(one, other))]


@pytest.mark.parametrize(("package", "content"), [(RPM, "sha256:bb"), (APK, "Q1bb=")])
def test_other_content_of_the_same_version_is_a_rebuild(package: Attributes, content: str) -> None:
    other = {**package, "content": content}
    assert findings(package, other) == [("content", State.CHANGED, Distance.REBUILD)]


def test_other_content_of_another_version_is_no_finding_of_its_own() -> None:
    other = {**RPM, "version": "1.1-1.el9", "content": "sha256:bb"}
    assert findings(RPM, other) == [("version", State.CHANGED, Distance.MINOR)]


def test_other_content_of_another_architecture_is_no_finding_of_its_own() -> None:
    other = {**RPM, "architecture": "aarch64", "content": "sha256:bb"}
    assert findings(RPM, other) == [("architecture", State.CHANGED, None)]


@pytest.mark.parametrize(
    "change",
    [{"content": "sha1:aa"}, {"content": None}, {"manager": "deb", "content": "sha256:bb"}, {"content": "Q2aa="}],
)
def test_hashes_of_unlike_kinds_are_not_held_against_each_other(change: dict[str, str | None]) -> None:
    assert findings(RPM, {**RPM, **change}) == [("content", State.INCOMPARABLE, None)]
    assert findings({**RPM, **change}, RPM) == [("content", State.INCOMPARABLE, None)]


def test_a_package_that_is_half_installed_is_a_finding() -> None:
    assert findings(RPM, {**RPM, "state": "unpacked"}) == [("state", State.CHANGED, None)]


def test_what_an_older_agent_did_not_collect_is_no_difference() -> None:
    older = host(section("os-packages", {"curl": {"version": "1.0-1.el9", "architecture": "x86_64"}}, schema=1))
    assert told(compare(older, host(section("os-packages", {"curl": RPM}, schema=2)))) == []
