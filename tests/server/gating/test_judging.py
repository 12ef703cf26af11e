"""Tests that a gate is green only where everything that was asked about was compared."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envparity_agent.canonical import canonical, decode
from envparity_agent.fingerprint import SPLIT, Fingerprint, FingerprintLike, Reason, Section, Status
from envparity_server.compare.model import UNKNOWN_STATES, Severity, State
from envparity_server.compare.scope import Scope, parse_scope
from envparity_server.drift.rules import applied, rule_of
from envparity_server.gating.judging import Question, judge, without_reference
from envparity_server.gating.model import Report, Standing, Verdict, read_report
from tests.server.gating.asking import gated, question, standings
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


def but(*changed: Section) -> Fingerprint:
    """The whole host with some sections in another state."""
    return host(*{one.path: one for one in (*WHOLE, *changed)}.values())


def without(path: str) -> Fingerprint:
    """The whole host without a section."""
    return host(*(one for one in WHOLE if one.path != path))


def test_what_was_compared_and_does_not_differ_is_parity() -> None:
    verdict = gated(host(*WHOLE), host(*WHOLE, name="web-2"))
    assert (verdict.verdict, verdict.reasons, verdict.findings) == (Verdict.PARITY, (), ())


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
        verdict = gated(left, right)
        assert verdict.verdict == Verdict.UNKNOWN
        assert any(path in said and f"{status}({reason})" in said for said in verdict.reasons)


@pytest.mark.parametrize("path", [one.path for one in WHOLE])
def test_a_section_that_one_side_does_not_have_is_never_green(path: str) -> None:
    assert gated(without(path), but()).verdict != Verdict.PARITY
    assert gated(but(), without(path)).verdict != Verdict.PARITY


INCOMPARABLE = (
    section("container/web", {"image": {"config": "sha256:a", "platform": "linux/amd64"}}),
    section("container/web", {"image": {"manifest": "sha256:c", "platform": "linux/amd64"}}),
)
SPLITTED = packages({"flask": "3.0.1"})
SPLITTED = replace(SPLITTED, items={**SPLITTED.items, "idna": {SPLIT: ("3.4: 1 host", "3.7: 1 host")}})

PARTIAL_LOCK = host(
    section("python/uv.lock", {"@lock": {"complete": True}, "flask": {"version": "3.0.1"}}, Status.PARTIAL,
            Reason.UNSUPPORTED, kind="declared", schema=2),
    kind="declared",
)  # fmt: skip
UNLIKE = host(packages({"idna": "3.7", "six": "1.17", "tabulate": "0.9", "wrapt": "1.16"}, "python/ci"), kind="python")
MORE = packages({"idna": "3.7", "flask": "3.0.1", "six": "1.17"})


def taken(moment: str) -> Fingerprint:
    """The whole host at another moment."""
    return replace(but(), taken_at=moment)


NEVER_GREEN: dict[str, Callable[[], Report]] = {
    "incomparable images": lambda: gated(but(INCOMPARABLE[0]), but(INCOMPARABLE[1])),
    "a split vote": lambda: gated(but(), but(SPLITTED)),
    "a split vote that was accepted": lambda: gated(
        but(), but(SPLITTED), accepted={one.id: one.content for one in gated(but(), but(SPLITTED)).findings}
    ),
    "a split vote about what a rule expects": lambda: gated(
        but(), but(SPLITTED), rules=[rule_of({"match": "*", "reason": "it may"})]
    ),
    "a split vote about what is not here": lambda: gated(but(packages({"flask": "3.0.1"})), but(SPLITTED)),
    "split votes on both sides": lambda: gated(host(SPLITTED, kind="environment"), host(SPLITTED, kind="environment")),
    "a stale host": lambda: gated(but(), but(), doubts=("web-1 is stale",)),
    "a stale host, whatever the coverage": lambda: gated(but(), but(), doubts=("web-1 is stale",), min_coverage=0),
    "no reference": lambda: without_reference("web-1", "env:prod", Severity.LOW, "env:prod was never seen"),
    "an old reference": lambda: gated(but(), taken("2026-10-30T12:00:00+00:00"), max_age=timedelta(days=1)),
    "an old reference, whatever the coverage": lambda: gated(
        but(), taken("2026-10-30T12:00:00+00:00"), max_age=timedelta(days=1), min_coverage=0
    ),
    "an old reference without a time zone": lambda: gated(
        but(), taken("2026-10-30T12:00:00"), max_age=timedelta(days=1)
    ),
    "a reference of nobody knows when": lambda: gated(but(), taken("yesterday"), max_age=timedelta(days=1)),
    "a reference of tomorrow": lambda: gated(but(), taken("2026-11-02T12:00:00+00:00"), max_age=timedelta(days=1)),
    "nothing at all": lambda: gated(host(), host()),
    "nothing at all, whatever the coverage": lambda: gated(host(), host(), min_coverage=0),
    "nothing on this side": lambda: gated(host(), but()),
    "nothing on the other side": lambda: gated(but(), host()),
    "an empty file against an empty file": lambda: gated(host(kind="declared"), host(kind="declared")),
    "an empty environment against an empty one": lambda: gated(
        host(packages({}), kind="python"), host(packages({}), kind="python")
    ),
    "no container engine on either side": lambda: gated(
        but(section("containers", {}, Status.ABSENT, Reason.NOT_INSTALLED)),
        but(section("containers", {}, Status.ABSENT, Reason.NOT_INSTALLED)),
        parse_scope("containers"),
    ),
    "a scope that holds nothing": lambda: gated(but(), but(), parse_scope("python/nowhere")),
    "an application that is nowhere": lambda: gated(but(), but(), parse_scope("", "unknown")),
    "a kind that neither side has": lambda: gated(but(), but(), parse_scope("declared")),
    "a kind of section that is not known yet": lambda: gated(
        but(section("future", {"x": {"y": 1}})), but(section("future", {"x": {"y": 2}}))
    ),
    "only what is beyond the question": lambda: gated(host(kind="python"), host(OPERATING_SYSTEM)),
    "an unknown item of a section of which more is beyond the question": lambda: gated(
        host(
            section("python/Dockerfile", {"flask": {"specifier": "1.2|1.3"}}, Status.PARTIAL, Reason.DECLARED,
                    kind="declared", schema=2),
            kind="dockerfile",
        ),
        host(section("python/srv/shop", versions({"flask": "1.2", "idna": "3.7"}), schema=2), kind="container"),
    ),
    "unsure pairs": lambda: gated(UNLIKE, but(), min_coverage=0),
    "unsure pairs that a rule expects": lambda: gated(
        UNLIKE, but(), rules=[rule_of({"match": "*", "reason": "it may"})], min_coverage=0
    ),
    "coverage under the minimum": lambda: gated(
        but(section("os-packages", {}, Status.FAILED, Reason.PERMISSION)), but(), min_coverage=95
    ),
    "a list of packages that was cut": lambda: gated(
        but(packages({"idna": "3.7"})),
        but(section("python/srv/shop", {}, Status.PARTIAL, Reason.CAP)),
        declared=(PARTIAL_LOCK,),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", NEVER_GREEN)
def test_what_cannot_be_told_is_never_green(case: str) -> None:
    verdict = NEVER_GREEN[case]()
    assert verdict.verdict == Verdict.UNKNOWN
    assert verdict.reasons


@pytest.mark.parametrize("only", ["container", "container/*", "container,os"])
def test_containers_are_never_green_where_not_all_could_be_listed(only: str) -> None:
    blind = section("containers", ENGINE.items, Status.PARTIAL, Reason.TIMEOUT)
    for left, right in ((but(blind), but()), (but(), but(blind))):
        assert gated(left, right, parse_scope(only)).verdict == Verdict.UNKNOWN


def test_the_one_container_that_was_asked_about_and_read_is_green() -> None:
    blind = section("containers", ENGINE.items, Status.PARTIAL, Reason.TIMEOUT)
    assert gated(but(blind), but(), parse_scope("container/web")).verdict == Verdict.PARITY


@pytest.mark.parametrize("only", ["python", "python/*"])
def test_python_environments_are_never_green_where_not_all_could_be_searched(only: str) -> None:
    blind = section("python", {}, Status.PARTIAL, Reason.PERMISSION)
    assert gated(but(blind), but(), parse_scope(only)).verdict == Verdict.UNKNOWN


def test_what_nobody_asked_about_cannot_turn_a_gate_red() -> None:
    broken = but(section("containers", {}, Status.FAILED, Reason.UNREACHABLE), packages({"idna": "1.0"}))
    assert gated(broken, but(), parse_scope("os")).verdict == Verdict.PARITY


def test_what_the_subject_cannot_have_cannot_turn_a_gate_red() -> None:
    assert gated(host(SHOP, kind="python"), but()).verdict == Verdict.PARITY


def test_drift_wins_over_what_is_unknown_and_keeps_its_reasons() -> None:
    left = but(packages({"idna": "3.7", "flask": "2.0"}), section("containers", {}, Status.FAILED, Reason.TIMEOUT))
    verdict = gated(left, but(), doubts=("web-1 is stale",))
    assert verdict.verdict == Verdict.DRIFT
    assert [one.item for one in verdict.standing(Standing.FAILS)] == ["flask"]
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

    verdict = gated(side("3.7", "3.0", "3.0.1-1", "a"), side("3.8", "4.0", "3.0.2-1", "b"), threshold=threshold)
    assert {one.item for one in verdict.standing(Standing.FAILS)} == items
    assert verdict.verdict == (Verdict.DRIFT if items else Verdict.PARITY)


@st.composite
def questions(draw: st.DrawFn) -> Question:
    """Two sides that have much in common, asked about in any way, with a file that declares some of the one."""
    left, right = draw(twins())
    return question(
        left,
        right,
        parse_scope(draw(st.sampled_from(["", "os", "python", "container/*", "python/*"]))),
        rules=draw(RULES),
        threshold=draw(st.sampled_from(Severity)),
        declared=draw(st.lists(declarations(left), max_size=2)),
        min_coverage=draw(st.sampled_from([100, 100, 95, 50, 0])),
        doubts=draw(st.sampled_from([(), (), (), ("web-1 is stale",)])),
        max_age=draw(st.sampled_from([None, timedelta(0), timedelta(days=1)])),
    )


def declarations(side: FingerprintLike) -> st.SearchStrategy[Fingerprint]:
    """Locks and lists that name what a side has, in part."""
    items = next((one.items for one in side.sections.values() if one.kind == "python"), {})
    plain = {name: {"version": str(body.get("version") or "1")} for name, body in items.items() if "#" not in name}

    def made(names: set[str], is_lock: bool, status: Status) -> Fingerprint:
        own = {name: plain[name] for name in names} | ({"@lock": {"complete": True}} if is_lock else {})
        reasons = () if status == Status.OK else (Reason.UNSUPPORTED,)
        return host(section("python/uv.lock", own, status, *reasons, kind="declared", schema=2), kind="declared")

    names = st.sets(st.sampled_from(sorted(plain)), max_size=6) if plain else st.just(set())
    return st.builds(made, names, st.booleans(), st.sampled_from([Status.OK, Status.PARTIAL]))


RULES = st.lists(
    st.sampled_from(["*", "os", "python/*", "python/*/requests", "container/*"]).map(
        lambda match: rule_of({"match": match, "reason": "it may"})
    ),
    max_size=2,
)


@given(questions())
def test_a_gate_is_green_only_where_all_was_looked_at_and_nothing_fails(asked: Question) -> None:
    report = judge(asked, NOON)
    unknown = any(one.state in UNKNOWN_STATES for one in asked.comparison.differences)
    gaps = unknown or any(not one.beyond for one in asked.comparison.unexamined)
    if report.verdict == Verdict.PARITY:
        assert not report.standing(Standing.FAILS)
        assert not report.doubts
        assert not asked.doubts
        assert report.coverage.compared
        assert report.coverage.percent >= asked.min_coverage
        assert not (gaps and asked.min_coverage == 100)
    else:
        assert report.reasons or report.standing(Standing.FAILS)
    assert (report.verdict == Verdict.DRIFT) == bool(report.standing(Standing.FAILS))
    assert report.is_uncovered == (report.verdict == Verdict.UNKNOWN and not report.doubts)


@given(questions())
def test_each_difference_is_one_finding_and_what_is_unknown_stands_so(asked: Question) -> None:
    report = judge(asked, NOON)
    differences = asked.comparison.differences
    assert sorted(one.id for one in report.findings) == sorted(one.id for one in differences)
    unknown = {one.id for one in differences if one.state in UNKNOWN_STATES}
    assert unknown <= {one.id for one in report.standing(Standing.UNKNOWN)}
    assert {one.id for one in report.standing(Standing.EXPECTED)} <= {
        one.id for one in differences if one.state == State.EXPECTED
    }
    severe = {one.id for one in differences if one.severity >= asked.threshold}
    assert {one.id for one in report.standing(Standing.FAILS)} <= severe
    assert {one.id for one in report.standing(Standing.BELOW)}.isdisjoint(severe)


@given(questions(), st.data())
def test_no_declaration_rule_or_accepted_run_makes_parity_of_unknown(asked: Question, data: st.DataObject) -> None:
    before = judge(replace(asked, accepted=None), NOON)
    seen = {one.id: one.content for one in before.findings}
    declared = (*asked.declared, data.draw(declarations(asked.subject)))
    covered = applied(asked.comparison, data.draw(RULES), (), NOON)
    after = judge(replace(asked, comparison=covered, declared=declared, accepted=seen, accepted_run="run 41"), NOON)
    if before.verdict == Verdict.UNKNOWN:
        assert after.verdict == Verdict.UNKNOWN
    if before.doubts or before.coverage.percent < asked.min_coverage:
        assert after.verdict != Verdict.PARITY
    assert after.coverage == before.coverage


@given(questions())
def test_the_document_of_a_report_is_read_back_as_it_was(asked: Question) -> None:
    document = judge(asked, NOON).document()
    assert read_report(decode(canonical(document))).document() == document


@pytest.mark.parametrize("scope", [parse_scope(application="shop"), parse_scope("os-packages,container/shop")])
def test_what_neither_side_could_list_is_never_green(scope: Scope) -> None:
    blind = section("containers", {}, Status.FAILED, Reason.PERMISSION)
    both = [one for one in WHOLE if not one.path.startswith("container")]
    assert gated(host(*both, blind), host(*both, blind, name="web-2"), scope).verdict == Verdict.UNKNOWN


def test_a_misspelt_path_beside_a_right_one_is_never_green() -> None:
    verdict = gated(but(), but(), parse_scope("os-packages,container/wbe"))
    assert (verdict.verdict, verdict.reasons) == (Verdict.UNKNOWN, ("container/wbe: neither side has it",))


def test_metadata_that_could_not_be_read_hides_no_known_version() -> None:
    theirs = packages({"idna": "3.7", "flask": "3.0.1"})
    damaged = section(
        theirs.path,
        {**theirs.items, "flask": {**theirs.items["flask"], "version": "2.0", "problem": "RECORD: invalid"}},
    )
    verdict = gated(but(damaged), but(theirs), threshold=Severity.HIGH)
    assert [(one.item, one.attribute) for one in verdict.standing(Standing.FAILS)] == [("flask", "version")]


def test_environments_that_only_happen_to_be_nearest_are_neither_drift_nor_parity() -> None:
    verdict = gated(UNLIKE, but())
    assert (verdict.verdict, verdict.standing(Standing.FAILS)) == (Verdict.UNKNOWN, ())
    assert any("python/ci was held against python/srv/shop" in reason for reason in verdict.reasons)


def test_environments_that_were_both_named_are_judged_however_unlike() -> None:
    mine = host(packages({"tabulate": "0.9"}, "python/ci"), kind="python")
    assert gated(mine, host(SHOP, kind="python")).verdict == Verdict.DRIFT


def test_what_a_lock_that_was_read_in_part_does_not_name_is_not_declared() -> None:
    report = gated(but(packages({"flask": "3.0.1"})), but(), declared=(PARTIAL_LOCK,))
    assert (report.verdict, standings(report)) == (Verdict.DRIFT, {("idna", "version"): Standing.FAILS})


def test_what_the_last_accepted_run_had_is_known_as_long_as_it_stays_the_very_same() -> None:
    first = gated(but(), but(MORE))
    (six,) = first.findings
    assert (first.verdict, six.standing) == (Verdict.DRIFT, Standing.FAILS)
    seen = {six.id: six.content}
    again = gated(but(), but(MORE), accepted=seen, accepted_run="run 41")
    assert (again.verdict, [(one.standing, one.why) for one in again.findings]) == (
        Verdict.PARITY, [(Standing.KNOWN, "run 41")],
    )  # fmt: skip
    other = packages({"idna": "3.7", "flask": "3.0.1", "six": "1.16"})
    changed = gated(but(), but(other), accepted=seen, accepted_run="run 41")
    assert (changed.findings[0].id, changed.verdict) == (six.id, Verdict.DRIFT)


def test_the_same_difference_the_other_way_round_is_another_one() -> None:
    (here,), (there,) = gated(but(MORE), but()).findings, gated(but(), but(MORE)).findings
    assert (here.id == there.id, here.content == there.content) == (True, False)


def test_what_was_accepted_as_expected_is_known_when_the_rule_has_gone() -> None:
    (before,) = gated(but(), but(MORE), rules=[rule_of({"match": "*", "reason": "it may"})]).findings
    assert before.standing == Standing.EXPECTED
    assert gated(but(), but(MORE), accepted={before.id: before.content}).verdict == Verdict.PARITY


def test_a_doubt_is_told_once() -> None:
    report = judge(question(but(), but(), doubts=("web-1 is stale",), notes=("web-1 is stale", "one of three")), NOON)
    assert (report.reasons, report.notes) == (("web-1 is stale",), ("one of three",))


def test_only_expected_differences_are_parity_with_their_count() -> None:
    report = gated(but(), but(MORE), rules=[rule_of({"match": "python/*", "reason": "it may"})])
    assert (report.verdict, report.summary) == (
        Verdict.PARITY,
        "6 items the same as env:prod, none differs at low or over; 1 expected",
    )
    assert [(reason, count) for _, reason, count in report.rules] == [("it may", 1)]


def test_what_fails_comes_first_by_severity_and_then_by_place() -> None:
    mine = but(packages({"idna": "3.8", "flask": "2.0"}), section("os-packages", versions({"openssl": "3.1"})))
    report = gated(mine, but(), threshold=Severity.MEDIUM)
    assert [(one.item, one.standing) for one in report.findings] == [
        ("flask", Standing.FAILS), ("idna", Standing.FAILS), ("openssl", Standing.BELOW),
    ]  # fmt: skip


def test_a_younger_reference_is_fresh_and_clocks_may_be_some_minutes_apart() -> None:
    for moment in ("2026-10-31T13:00:00+00:00", "2026-11-01T12:04:00+00:00"):
        assert gated(but(), taken(moment), max_age=timedelta(days=1)).verdict == Verdict.PARITY
    (doubt,) = gated(but(), taken("2026-10-30T12:00:00+00:00"), max_age=timedelta(days=1)).doubts
    assert doubt == "env:prod is of 2026-10-30 12:00 UTC: older than 1 day, 0:00:00"


def test_the_age_is_by_whoever_was_told_the_reference_and_not_by_the_clock_of_its_host() -> None:
    young, old = NOON - timedelta(hours=1), NOON - timedelta(days=2)
    for confirmed_at, claimed, verdict in (
        (young, "2026-10-01T12:00:00+00:00", Verdict.PARITY),
        (old, NOON.isoformat(), Verdict.UNKNOWN),
    ):
        report = gated(but(), taken(claimed), max_age=timedelta(days=1), confirmed_at=confirmed_at)
        assert report.verdict == verdict


def test_for_want_of_coverage_alone_is_told_from_a_doubt() -> None:
    blind = but(section("os-packages", {}, Status.FAILED, Reason.PERMISSION))
    assert gated(blind, but()).is_uncovered
    assert not gated(blind, but(), doubts=("web-1 is stale",)).is_uncovered
    assert not gated(host(), host()).is_uncovered
    assert not gated(but(), but()).is_uncovered


def test_every_doubt_of_a_first_release_is_one_that_coverage_does_not_make_up_for() -> None:
    document = gated(but(section("os-packages", {}, Status.FAILED, Reason.PERMISSION)), but()).document()
    del document["doubts"]
    assert not read_report(document).is_uncovered
