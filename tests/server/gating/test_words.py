"""Tests of how a gate says what differs, what was not examined, and its answer in one line."""

import pytest
from hypothesis import given

from envparity_agent.fingerprint import Attributes, Fingerprint, Reason, Section, Status
from envparity_server.compare.differences import compare
from envparity_server.compare.model import Severity, Unexamined
from envparity_server.drift.rules import rule_of
from envparity_server.gating.words import in_words, mirrored, unread
from tests.server.gating.asking import gated
from tests.server.making import ENGINE, OPERATING_SYSTEM, SEARCHED, host, packages, section, twins


def side(*more: Section, **pins: str) -> Fingerprint:
    """A host with some distributions."""
    return host(OPERATING_SYSTEM, SEARCHED, ENGINE, packages(pins), *more)


def words(subject: Fingerprint, reference: Fingerprint) -> list[str]:
    """What the gate says of each difference."""
    return [in_words(one, "env:prod") for one in compare(subject, reference).differences]


def test_a_change_goes_from_the_reference_to_the_subject() -> None:
    assert words(side(idna="3.8"), side(idna="3.7")) == ["3.7 → 3.8"]
    assert words(side(idna="3.7"), side()) == ["only here: 3.7"]
    assert words(side(), side(idna="3.7")) == ["only in env:prod: 3.7"]


def test_a_list_says_which_side_has_what() -> None:
    def hooked(*hooks: str) -> Fingerprint:
        interpreter: Attributes = {"version": "3.12", "role": "venv", "hooks": hooks}
        return side(section("python/srv/shop", {"@python": interpreter}, schema=2))

    assert words(hooked("a.pth", "b.pth"), hooked("b.pth", "c.pth")) == [
        "hooks only in env:prod c.pth; only here a.pth"
    ]


def test_what_says_nothing_of_its_content_is_called_by_its_side() -> None:
    def built(**content: str) -> Fingerprint:
        return side(section("python/srv/shop", {"idna": {"version": "3.7", **content}}))

    assert words(built(), built(content="sha256:a")) == [
        "not comparable: nothing says what the side here contains (no RECORD)"
    ]
    assert words(built(content="sha256:a"), built()) == [
        "not comparable: nothing says what env:prod contains (no RECORD)"
    ]


@given(twins())
def test_a_mirrored_difference_is_that_of_the_sides_turned_round(sides: tuple[Fingerprint, Fingerprint]) -> None:
    for one in compare(*sides).differences:
        assert mirrored(mirrored(one)) == one
        assert (mirrored(one).left, mirrored(one).right) == (one.right, one.left)


@pytest.mark.parametrize(
    ("why", "told"),
    [
        ("left: failed(cap)", "os: here: failed(cap)"),
        ("right: failed(cap)", "os: env:prod: failed(cap)"),
        ("left: failed(cap) and right: failed(cap)", "os: here: failed(cap) and env:prod: failed(cap)"),
        ("neither side has it", "os: neither side has it"),
    ],
)
def test_what_was_not_examined_is_said_with_the_sides_of_a_gate(why: str, told: str) -> None:
    assert unread(Unexamined("os", why), "env:prod") == told


def test_drift_is_summed_up_with_the_first_that_fails() -> None:
    mine, other = side(flask="4", idna="3.8", six="1"), side(flask="3", idna="3.7", six="1")
    assert gated(mine, other).summary == "1 high, 1 medium against env:prod: flask 3 → 4 and 1 more"
    covered = gated(mine, other, rules=[rule_of({"match": "python/*/idna", "reason": "it may"})])
    assert covered.summary == "1 high against env:prod: flask 3 → 4; 1 expected"


def test_parity_is_summed_up_with_what_is_the_same() -> None:
    assert gated(side(idna="3.8"), side(idna="3.7"), threshold=Severity.CRITICAL).summary == (
        "2 items the same as env:prod, none differs at critical or over"
    )


def test_what_cannot_be_told_is_summed_up_with_its_first_reason() -> None:
    blind = side(section("os-packages", {}, Status.FAILED, Reason.PERMISSION), idna="3.7")
    told = gated(blind, blind, doubts=("web-1 is stale",))
    assert told.summary == "cannot tell: web-1 is stale (and 1 more)"
    (gap,) = gated(blind, blind).reasons
    assert gated(blind, blind).summary == f"cannot tell: {gap}"
