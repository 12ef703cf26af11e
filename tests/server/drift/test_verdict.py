"""Tests that a gate is green only where everything that was asked about was compared."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envparity_agent.fingerprint import SPLIT, Fingerprint, FingerprintLike, Reason, Section, Status
from envparity_server.compare.differences import compare
from envparity_server.compare.model import DRIFT_STATES, Severity
from envparity_server.compare.scope import EVERYTHING, Scope, parse_scope
from envparity_server.drift.severity import rate
from envparity_server.drift.verdict import Outcome, Verdict, judge
from tests.server.making import (
    ENGINE,
    NOON,
    OPERATING_SYSTEM,
    SEARCHED,
    host,
    packages,
    section,
    twins,
    versions,
)

SHOP = packages({"idna": "3.7", "flask": "3.0.1"})
WEB = section("container/web", {"image": {"config": "sha256:a", "content": "sha256:b", "platform": "linux/amd64"}})
WHOLE = (OPERATING_SYSTEM, section("os-packages", versions({"openssl": "3.0"})), SEARCHED, SHOP, ENGINE, WEB)


def judged(
    left: FingerprintLike,
    right: FingerprintLike,
    scope: Scope = EVERYTHING,
    threshold: Severity = Severity.LOW,
    doubts: tuple[str, ...] = (),
) -> Verdict:
    """The verdict on the left side against the right one."""
    return judge(rate(compare(left, right, scope)), threshold, doubts)


def but(*changed: Section) -> Fingerprint:
    """The whole host with some sections in another state."""
    return host(*{one.path: one for one in (*WHOLE, *changed)}.values())


def without(path: str) -> Fingerprint:
    """The whole host without a section."""
    return host(*(one for one in WHOLE if one.path != path))


def test_what_was_compared_and_does_not_differ_is_parity() -> None:
    verdict = judged(host(*WHOLE), host(*WHOLE, name="web-2"))
    assert (verdict.outcome, verdict.reasons, verdict.differences) == (Outcome.PARITY, (), ())


unread = pytest.mark.parametrize(
    ("status", "reason"),
    [(Status.FAILED, Reason.PERMISSION), (Status.PARTIAL, Reason.CAP), (Status.ABSENT, Reason.CONSENT)],
)


@unread
@pytest.mark.parametrize("path", [one.path for one in WHOLE])
def test_an_unread_section_is_never_green(path: str, status: Status, reason: Reason) -> None:
    whole = next(one for one in WHOLE if one.path == path)
    gap = replace(whole, items={}, status=status, reasons=(reason,))
    for left, right in ((but(gap), but()), (but(), but(gap)), (but(gap), but(gap))):
        verdict = judged(left, right)
        assert verdict.outcome == Outcome.UNKNOWN
        assert any(path in said and f"{status}({reason})" in said for said in verdict.reasons)


@pytest.mark.parametrize("path", [one.path for one in WHOLE])
def test_a_section_that_one_side_does_not_have_is_never_green(path: str) -> None:
    assert judged(without(path), but()).outcome != Outcome.PARITY
    assert judged(but(), without(path)).outcome != Outcome.PARITY


INCOMPARABLE = (
    section("container/web", {"image": {"config": "sha256:a", "platform": "linux/amd64"}}),
    section("container/web", {"image": {"manifest": "sha256:c", "platform": "linux/amd64"}}),
)
SPLITTED = packages({"flask": "3.0.1"})
SPLITTED = replace(SPLITTED, items={**SPLITTED.items, "idna": {SPLIT: ("3.4: 1 host", "3.7: 1 host")}})

NEVER_GREEN: dict[str, Callable[[], Verdict]] = {
    "incomparable images": lambda: judged(but(INCOMPARABLE[0]), but(INCOMPARABLE[1])),
    "a split vote": lambda: judged(but(), but(SPLITTED)),
    "a split vote about what is not here": lambda: judged(but(packages({"flask": "3.0.1"})), but(SPLITTED)),
    "split votes on both sides": lambda: judged(host(SPLITTED, kind="environment"), host(SPLITTED, kind="environment")),
    "a stale host": lambda: judged(but(), but(), doubts=("web-1 is stale",)),
    "nothing at all": lambda: judged(host(), host()),
    "nothing on this side": lambda: judged(host(), but()),
    "nothing on the other side": lambda: judged(but(), host()),
    "an empty file against an empty file": lambda: judged(host(kind="declared"), host(kind="declared")),
    "a scope that holds nothing": lambda: judged(but(), but(), parse_scope("python/nowhere")),
    "an application that is nowhere": lambda: judged(but(), but(), parse_scope("", "unknown")),
    "a kind that neither side has": lambda: judged(but(), but(), parse_scope("declared")),
    "a kind of section that is not known yet": lambda: judged(
        but(section("future", {"x": {"y": 1}})), but(section("future", {"x": {"y": 2}}))
    ),
    "only what is beyond the question": lambda: judged(host(kind="python"), host(OPERATING_SYSTEM)),
}


@pytest.mark.parametrize("case", NEVER_GREEN)
def test_what_cannot_be_told_is_never_green(case: str) -> None:
    verdict = NEVER_GREEN[case]()
    assert verdict.outcome == Outcome.UNKNOWN
    assert verdict.reasons


@pytest.mark.parametrize("only", ["container", "container/*", "container,os"])
def test_containers_are_never_green_where_not_all_could_be_listed(only: str) -> None:
    blind = section("containers", ENGINE.items, Status.PARTIAL, Reason.TIMEOUT)
    for left, right in ((but(blind), but()), (but(), but(blind))):
        assert judged(left, right, parse_scope(only)).outcome == Outcome.UNKNOWN


def test_the_one_container_that_was_asked_about_and_read_is_green() -> None:
    blind = section("containers", ENGINE.items, Status.PARTIAL, Reason.TIMEOUT)
    assert judged(but(blind), but(), parse_scope("container/web")).outcome == Outcome.PARITY


@pytest.mark.parametrize("only", ["python", "python/*"])
def test_python_environments_are_never_green_where_not_all_could_be_searched(only: str) -> None:
    blind = section("python", {}, Status.PARTIAL, Reason.PERMISSION)
    assert judged(but(blind), but(), parse_scope(only)).outcome == Outcome.UNKNOWN


def test_what_nobody_asked_about_cannot_turn_a_gate_red() -> None:
    broken = but(section("containers", {}, Status.FAILED, Reason.UNREACHABLE), packages({"idna": "1.0"}))
    assert judged(broken, but(), parse_scope("os")).outcome == Outcome.PARITY


def test_what_the_subject_cannot_have_cannot_turn_a_gate_red() -> None:
    assert judged(host(SHOP, kind="python"), but()).outcome == Outcome.PARITY


def test_drift_wins_over_what_is_unknown_and_keeps_its_reasons() -> None:
    left = but(packages({"idna": "3.7", "flask": "2.0"}), section("containers", {}, Status.FAILED, Reason.TIMEOUT))
    verdict = judged(left, but(), doubts=("web-1 is stale",))
    assert verdict.outcome == Outcome.DRIFT
    assert [one.item for one in verdict.differences] == ["flask"]
    assert verdict.reasons[0] == "web-1 is stale"
    assert any("containers" in said for said in verdict.reasons)


@pytest.mark.parametrize(
    ("threshold", "items"),
    [
        (Severity.INFO, {"idna", "flask", "openssl", "cpu"}),
        (Severity.LOW, {"idna", "flask", "openssl"}),
        (Severity.MEDIUM, {"idna", "flask"}),
        (Severity.HIGH, {"flask"}),
        (Severity.CRITICAL, set()),
    ],
)
def test_only_drift_at_or_over_the_threshold_counts(threshold: Severity, items: set[str]) -> None:
    def side(idna: str, flask: str, openssl: str, model: str) -> Fingerprint:
        return but(
            packages({"idna": idna, "flask": flask}),
            section("os-packages", versions({"openssl": openssl})),
            section("machine", {"cpu": {"model": model}}),
        )

    verdict = judged(side("3.7", "3.0", "3.0.1-1", "a"), side("3.8", "4.0", "3.0.2-1", "b"), threshold=threshold)
    assert {one.item for one in verdict.differences} == items
    assert verdict.outcome == (Outcome.DRIFT if items else Outcome.PARITY)


@given(twins(), st.sampled_from(Severity), st.sampled_from(["", "os", "python", "container/*", "python/*"]))
def test_a_verdict_is_green_only_without_drift_and_without_gaps(
    sides: tuple[Fingerprint, Fingerprint], threshold: Severity, only: str
) -> None:
    comparison = rate(compare(*sides, parse_scope(only)))
    verdict = judge(comparison, threshold)
    drifts = any(one.state in DRIFT_STATES and one.severity >= threshold for one in comparison.differences)
    gaps = any(one.state not in DRIFT_STATES for one in comparison.differences) or any(
        not one.beyond for one in comparison.unexamined
    )
    assert (verdict.outcome == Outcome.DRIFT) == drifts
    if verdict.outcome == Outcome.PARITY:
        assert not gaps
        assert comparison.examined
        assert verdict.reasons == ()
    if verdict.outcome == Outcome.UNKNOWN:
        assert verdict.reasons


def test_the_document_has_what_scripts_build_on() -> None:
    document = judged(but(packages({"idna": "3.7"})), but()).document()
    assert set(document) == {
        "schema", "verdict", "threshold", "reasons", "differences", "paired", "expected", "rules",
    }  # fmt: skip
    assert (document["schema"], document["verdict"], document["threshold"]) == (1, "drift", "low")
    assert [one["item"] for one in document["differences"]] == ["flask"]
    assert NOON.isoformat() not in str(document)


@pytest.mark.parametrize("scope", [parse_scope(application="shop"), parse_scope("os-packages,container/shop")])
def test_what_neither_side_could_list_is_never_green(scope: Scope) -> None:
    blind = section("containers", {}, Status.FAILED, Reason.PERMISSION)
    both = [one for one in WHOLE if not one.path.startswith("container")]
    assert judged(host(*both, blind), host(*both, blind, name="web-2"), scope).outcome == Outcome.UNKNOWN


def test_a_misspelt_path_beside_a_right_one_is_never_green() -> None:
    verdict = judged(but(), but(), parse_scope("os-packages,container/wbe"))
    assert (verdict.outcome, verdict.reasons) == (Outcome.UNKNOWN, ("container/wbe: neither side has it",))


def test_metadata_that_could_not_be_read_hides_no_known_version() -> None:
    theirs = packages({"idna": "3.7", "flask": "3.0.1"})
    damaged = section(
        theirs.path,
        {**theirs.items, "flask": {**theirs.items["flask"], "version": "2.0", "problem": "RECORD: invalid"}},
    )
    verdict = judged(but(damaged), but(theirs), threshold=Severity.HIGH)
    assert [(one.item, one.attribute) for one in verdict.differences] == [("flask", "version")]


def test_environments_that_only_happen_to_be_nearest_are_neither_drift_nor_parity() -> None:
    mine = host(
        packages({"idna": "3.7", "six": "1.17", "tabulate": "0.9", "wrapt": "1.16"}, "python/ci"), kind="python"
    )
    verdict = judged(mine, but())
    assert (verdict.outcome, verdict.differences) == (Outcome.UNKNOWN, ())
    assert any("python/ci was held against python/srv/shop" in reason for reason in verdict.reasons)


def test_environments_that_were_both_named_are_judged_however_unlike() -> None:
    mine = host(packages({"tabulate": "0.9"}, "python/ci"), kind="python")
    assert judged(mine, host(SHOP, kind="python")).outcome == Outcome.DRIFT
