"""Tests that failure is data: what could not be read is unknown, never removed."""

import pytest

from envparity_agent.fingerprint import SPLIT, Fingerprint, Reason, Section, Status
from envparity_server.compare.differences import compare
from envparity_server.compare.model import DRIFT_STATES, State
from tests.server.making import ENGINE, OPERATING_SYSTEM, SEARCHED, compared, host, packages, section, states

UNREAD = [
    (Status.FAILED, Reason.PERMISSION),
    (Status.FAILED, Reason.ERROR),
    (Status.ABSENT, Reason.CONSENT),
    (Status.ABSENT, Reason.UNSUPPORTED),
    (Status.PARTIAL, Reason.CAP),
    (Status.PARTIAL, Reason.PERMISSION),
]
FULL = {
    "os": OPERATING_SYSTEM,
    "os-packages": section("os-packages", {"openssl": {"version": "3.0.11-1"}}),
    "python/srv/shop": packages({"idna": "3.4"}),
    "containers": ENGINE,
    "container/web": section("container/web", {"image": {"config": "sha256:a", "platform": "linux/amd64"}}),
}


def gaps(left: Fingerprint, right: Fingerprint) -> list[str]:
    """The sections that were not examined."""
    return [one.section for one in compare(left, right).unexamined]


@pytest.mark.parametrize(("status", "reason"), UNREAD)
@pytest.mark.parametrize("path", FULL)
def test_an_unread_section_is_unknown_and_listed(path: str, status: Status, reason: Reason) -> None:
    unread = section(path, {}, status, reason, kind=FULL[path].kind)
    for left, right in ((host(unread), host(FULL[path])), (host(FULL[path]), host(unread))):
        found = compare(left, right)
        assert {one.state for one in found.differences} == {State.UNKNOWN}
        assert [gap.section for gap in found.unexamined] == [path]
        assert f"{status}({reason})" in found.unexamined[0].why


@pytest.mark.parametrize(("status", "reason"), UNREAD)
def test_a_section_that_neither_side_could_read_is_unknown(status: Status, reason: Reason) -> None:
    unread = section("os-packages", {}, status, reason)
    assert states(host(unread), host(unread)) == [State.UNKNOWN]
    assert gaps(host(unread), host(unread)) == ["os-packages"]


def test_what_a_partial_section_did_read_is_compared() -> None:
    partial = section("os-packages", {"openssl": {"version": "3.0.9-1"}}, Status.PARTIAL, Reason.CAP)
    whole = section("os-packages", {"openssl": {"version": "3.0.11-1"}, "curl": {"version": "8"}})
    found = {(one.item, one.state) for one in compare(host(partial), host(whole)).differences}
    assert found == {("", State.UNKNOWN), ("openssl", State.CHANGED), ("curl", State.UNKNOWN)}


def test_what_a_partial_section_has_and_a_whole_one_lacks_is_there_on_that_side_only() -> None:
    partial = section("os-packages", {"curl": {"version": "8"}}, Status.PARTIAL, Reason.CAP)
    found = {(one.item, one.state) for one in compare(host(partial), host(section("os-packages"))).differences}
    assert found == {("", State.UNKNOWN), ("curl", State.ONLY_LEFT)}


def test_what_is_known_not_to_be_installed_is_a_known_absence() -> None:
    without = section("containers", {}, Status.ABSENT, Reason.NOT_INSTALLED)
    found = compare(host(without), host(ENGINE))
    assert [(one.item, one.state) for one in found.differences] == [("engine", State.ONLY_RIGHT)]
    assert found.unexamined == ()
    assert states(host(without), host(without)) == []


def test_a_host_without_an_engine_is_known_to_run_no_container() -> None:
    without = host(section("containers", {}, Status.ABSENT, Reason.NOT_INSTALLED))
    found = compare(without, host(ENGINE, FULL["container/web"]))
    assert ("container/web", State.ONLY_RIGHT) in [(one.section, one.state) for one in found.differences]


@pytest.mark.parametrize(("status", "reason"), UNREAD)
@pytest.mark.parametrize(
    ("cover", "below"),
    [
        ("containers", "container/web"),
        ("containers", "container/shop.web"),
        ("containers", "container/shop.web/python/site"),
        ("python", "python/srv/shop"),
    ],
)
def test_an_unread_list_covers_everything_that_it_would_list(
    cover: str, below: str, status: Status, reason: Reason
) -> None:
    blind = host(section(cover, {}, status, reason))
    seeing = host(section(cover), section(below, {"x": {"version": "1"}}))
    for left, right in ((blind, seeing), (seeing, blind)):
        found = compare(left, right)
        assert not DRIFT_STATES & {one.state for one in found.differences}
        assert {one.section for one in found.differences} == {cover, below}
        assert {gap.section for gap in found.unexamined} == {cover, below}


@pytest.mark.parametrize(
    ("status", "reason"),
    [(Status.FAILED, Reason.PERMISSION), (Status.ABSENT, Reason.CONSENT)],
)
def test_an_unread_section_that_only_one_side_has_is_unknown(status: Status, reason: Reason) -> None:
    left, right = host(SEARCHED, section("python/srv/shop", {}, status, reason)), host(SEARCHED)
    assert states(left, right) == [State.UNKNOWN]
    assert states(right, left) == [State.UNKNOWN]
    assert gaps(left, right) == ["python/srv/shop"]


def test_what_one_side_says_is_not_installed_does_not_differ_from_nothing() -> None:
    without = section("python/srv/shop", {}, Status.ABSENT, Reason.NOT_INSTALLED)
    assert states(host(SEARCHED, without), host(SEARCHED)) == []


def test_a_search_that_skipped_a_directory_says_why() -> None:
    skipped = section("python", {"/mnt/nfs": {"skipped": "permission"}}, Status.PARTIAL, Reason.PERMISSION)
    found = compare(host(skipped), host(SEARCHED))
    assert [one.state for one in found.differences] == [State.UNKNOWN]
    assert [(gap.section, gap.why) for gap in found.unexamined] == [("python", "left: partial(permission)")]


def test_two_searches_that_skipped_unlike_directories_for_good_do_not_differ() -> None:
    left = section("python", {"/mnt/nfs": {"skipped": "nfs"}})
    right = section("python", {"/mnt/other": {"skipped": "nfs"}})
    assert states(host(left), host(right)) == []


@pytest.mark.parametrize("side", [0, 1])
def test_an_item_on_which_hosts_do_not_agree_is_unknown(side: int) -> None:
    split = section("python/srv/shop", {"idna": {SPLIT: ("3.4: 1 host", "3.7: 1 host")}})
    for other in (packages({"idna": "3.4"}), packages({})):
        sides = [host(other), host(other)]
        sides[side] = host(split)
        (difference,) = compared(sides).differences
        assert (difference.item, difference.state) == ("idna", State.UNKNOWN)
        assert ("3.4: 1 host", "3.7: 1 host") in (difference.left, difference.right)


def test_an_item_on_which_the_hosts_of_both_sides_do_not_agree_is_unknown() -> None:
    split = section("python/srv/shop", {"idna": {SPLIT: ("3.4: 1 host", "3.7: 1 host")}})
    left = host(split, kind="environment", name="env:dev")
    assert states(left, host(split, kind="environment", name="env:prod")) == [State.UNKNOWN]


def only(kind: str, *sections: Section) -> Fingerprint:
    """A target of a kind that has not all that a host has."""
    return host(*sections, kind=kind)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("root", "a root directory"),
        ("container", "a container"),
        ("python", "a Python environment"),
        ("declared", "a requirements file or a lock"),
    ],
)
def test_what_a_target_cannot_have_is_beyond_the_question(kind: str, words: str) -> None:
    subject = only(kind, packages({"idna": "3.4"}))
    found = compare(subject, host(OPERATING_SYSTEM, ENGINE, SEARCHED, packages({"idna": "3.4"})))
    assert found.differences == ()
    assert {gap.section: gap.beyond for gap in found.unexamined} == {"os": True, "containers": True, "python": True}
    assert f"{words} has no such section" in found.unexamined[0].why


def test_what_a_host_should_have_is_not_beyond_the_question() -> None:
    for kind in ("host", "environment"):
        found = compare(only(kind, packages({"idna": "3.4"})), host(OPERATING_SYSTEM, packages({"idna": "3.4"})))
        assert [(gap.section, gap.beyond) for gap in found.unexamined] == [("os", False)]


def test_what_only_the_asking_side_has_is_not_beyond_the_question() -> None:
    found = compare(host(OPERATING_SYSTEM, SEARCHED), only("python", SEARCHED))
    assert [(gap.section, gap.beyond) for gap in found.unexamined] == [("os", False)]
