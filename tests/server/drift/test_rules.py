"""Tests of rules: what they cover is expected and counted, and what is unknown never is."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envparity_agent.errors import InvalidDocument, UsageError
from envparity_agent.fingerprint import Fingerprint, Reason, Status, Target
from envparity_agent.project import WrongRule, read_project
from envparity_server.compare.differences import compare
from envparity_server.compare.groups import expected, group, severities, wording
from envparity_server.compare.model import DRIFT_STATES, Comparison, Difference, Distance, Severity, State
from envparity_server.drift.rules import (
    NO_SEVERITIES,
    Rule,
    Severities,
    Subject,
    applied,
    canonical_hosts,
    document_of,
    hits,
    of_project,
    of_question,
    rule_of,
    severity_of,
)
from envparity_server.drift.severity import rate
from envparity_server.gating.model import Standing, Verdict
from tests.server.gating.asking import gated
from tests.server.making import ENGINE, NOON, OPERATING_SYSTEM, SEARCHED, host, packages, section, twins

ROOT = Path(__file__).parents[3]
WEB = Subject("web-1", "prod", {"role": "web", "zone": "a"}, "0123456789abcdef")
LAPTOP = Subject("laptop", "dev", {"role": "web"})
SIDES = (LAPTOP, WEB)


def rule(match: str, hosts: str = "", **more: Any) -> Rule:
    """A rule as a file has it."""
    return rule_of({"match": match, "hosts": hosts, "reason": f"because of {match}", **more})


def side(idna: str, flask: str = "3.0", *more: Any) -> Fingerprint:
    """A host with two distributions."""
    return host(OPERATING_SYSTEM, SEARCHED, ENGINE, packages({"idna": idna, "flask": flask}), *more)


def compared(left: Fingerprint | None = None, right: Fingerprint | None = None) -> Comparison:
    """A comparison with one minor and one major difference."""
    return rate(compare(left or side("3.4", "2.0"), right or side("3.7", "3.0")))


def states(comparison: Comparison) -> dict[str, State]:
    """The state of each item that differs."""
    return {one.item: one.state for one in comparison.differences}


def test_what_a_rule_covers_is_expected_and_says_which_rule_and_what_it_was() -> None:
    one = rule("python/*/idna")
    found = applied(compared(), [one], SIDES, NOON)
    (idna,) = (each for each in found.differences if each.item == "idna")
    assert (idna.state, idna.found, idna.rule, idna.reason) == (
        State.EXPECTED, State.CHANGED, one.id, "because of python/*/idna",
    )  # fmt: skip
    assert found.summary() == {"same": 2, "changed": 1, "expected": 1}
    document = idna.document()
    assert (document["state"], document["rule"], document["found"]) == ("expected", one.id, "changed")
    assert document["id"] == next(each.id for each in compared().differences if each.item == "idna")
    assert (wording(idna), idna.word) == ("3.4 → 3.7", "expected")


def test_what_is_expected_is_folded_by_its_rule_and_no_part_of_the_groups() -> None:
    rules = [rule("python/*/idna"), rule("python/*/flask")]
    found = applied(compared(), rules, SIDES, NOON)
    assert group(found) == []
    assert severities(found.differences) == ""
    assert sorted(one.digest for one in expected(found.differences)) == sorted(
        f"1 by the rule {one.id}: {one.reason}" for one in rules
    )


def test_a_verdict_of_parity_says_how_many_were_expected() -> None:
    one = rule("python/*")
    report = gated(side("3.4", "2.0"), side("3.7", "3.0"), threshold=Severity.INFO, rules=[one])
    assert (report.verdict, len(report.standing(Standing.EXPECTED))) == (Verdict.PARITY, 2)
    document = report.document()
    assert (document["expected"], document["differences"]) == (2, [])
    assert document["rules"] == [{"rule": one.id, "reason": "because of python/*", "expected": 2}]


@pytest.mark.parametrize(
    ("hosts", "covered"),
    [
        ("", True),
        ("env:dev", True),
        ("env:prod", True),
        ("env:test", False),
        ("env:prod,role=web", True),
        ("env:prod,zone=a,role=web", True),
        ("env:dev,zone=a", False),
        ("host:laptop", True),
        ("host:0123456789abcdef", True),
        ("host:web-2", False),
        ("env:*", True),
        ("role=web", True),
        ("env:*,zone=b", False),
    ],
)
def test_a_rule_covers_a_side_whose_environment_and_labels_fit(hosts: str, covered: bool) -> None:
    found = applied(compared(), [rule("python/*", hosts)], SIDES, NOON)
    assert set(states(found).values()) == ({State.EXPECTED} if covered else {State.CHANGED})


def test_a_rule_for_an_environment_covers_a_selector_of_it_and_not_what_has_none() -> None:
    group_of = Subject("env:dev,role=web", "dev", {"role": "web"})
    (target,) = (Subject(".venv"),)
    assert rule("*", "env:dev").covers(group_of)
    assert not rule("*", "env:dev,role=db").covers(group_of)
    assert not rule("*", "env:dev").covers(target)
    assert not rule("*", "env:*").covers(target)
    assert rule("*").covers(target)


def test_a_rule_ends_when_its_end_comes_and_that_is_told() -> None:
    ending = rule("python/*/idna", expires="2026-11-01T12:00:00Z")
    before = applied(compared(), [ending], SIDES, NOON - timedelta(seconds=1))
    after = applied(compared(), [ending], SIDES, NOON)
    assert (states(before)["idna"], before.remarks) == (State.EXPECTED, ())
    assert states(after)["idna"] == State.CHANGED
    assert after.remarks == (
        "the rule python/*/idna (because of python/*/idna) expired on 2026-11-01: 1 difference no longer covered",
    )
    assert after.document()["remarks"] == list(after.remarks)


def test_an_expired_rule_is_not_told_where_another_covers_the_same_or_nothing_is_there() -> None:
    ended = rule("python/*/idna", expires="2026-01-01")
    assert applied(compared(), [ended, rule("python/*")], SIDES, NOON).remarks == ()
    assert applied(compared(), [rule("nothing", expires="2026-01-01")], SIDES, NOON).remarks == ()


def test_the_first_severity_that_fits_wins_and_a_project_s_table_comes_before_rules() -> None:
    table = Severities((severity_of({"match": "python/*", "severity": {"major": "critical"}}),))
    rules = [rule("python/*/idna", severity="high"), rule("python/*", severity="info")]
    found = applied(compared(), rules, SIDES, NOON, table)
    assert [(one.item, one.severity, one.rated_by) for one in found.differences] == [
        ("flask", Severity.CRITICAL, ""),
        ("idna", Severity.HIGH, rules[0].id),
    ]
    assert hits(found) == {rules[0].id: 1}


def test_a_severity_by_version_distance_leaves_other_distances_to_the_next_entry() -> None:
    entries = ({"match": "python/*", "severity": {"patch": "info"}}, {"match": "*", "severity": "low"})
    found = applied(compared(), [], SIDES, NOON, Severities(tuple(severity_of(one) for one in entries)))
    assert {one.severity for one in found.differences} == {Severity.LOW}


@pytest.mark.parametrize("status", [Status.FAILED, Status.PARTIAL])
def test_what_is_unknown_never_becomes_expected(status: Status) -> None:
    blind = section("containers", {}, status, Reason.PERMISSION)
    unread = host(OPERATING_SYSTEM, SEARCHED, blind, packages({"idna": "3.4"}))
    found = applied(compared(unread, side("3.7")), [rule("*"), rule("containers", severity="critical")], SIDES, NOON)
    unknown = [one for one in found.differences if one.section == "containers"]
    assert {(one.state, one.severity) for one in unknown} == {(State.UNKNOWN, Severity.INFO)}
    assert gated(unread, side("3.7"), rules=[rule("*")]).verdict == Verdict.UNKNOWN


MATCHES = ["*", "python/*", "python/*/idna", "os", "os*", "*#version", "container/*/image", "nothing"]
RULES = st.builds(
    rule,
    st.sampled_from(MATCHES),
    st.sampled_from(["", "env:dev", "env:prod,role=web", "host:laptop", "env:other"]),
    expires=st.sampled_from([None, "2026-01-01", "2027-01-01"]),
    severity=st.sampled_from([None, None, "info", "critical"]),
)
TABLES = st.lists(
    st.tuples(st.sampled_from(MATCHES), st.one_of(st.sampled_from(Severity), st.just({Distance.MINOR: Severity.HIGH}))),
    max_size=3,
).map(lambda entries: Severities(tuple(entries)))


def keyed(comparison: Comparison) -> dict[tuple[str, str, str], Difference]:
    """Each difference by its place."""
    return {(one.section, one.item, one.attribute): one for one in comparison.differences}


@given(twins(), st.lists(RULES, max_size=6), TABLES)
def test_rules_take_nothing_away_touch_nothing_unknown_and_change_nothing_twice(
    sides: tuple[Fingerprint, Fingerprint], rules: list[Rule], table: Severities
) -> None:
    plain = rate(compare(*sides))
    found = applied(plain, rules, SIDES, NOON, table)
    assert len(found.differences) == len(plain.differences)
    assert sorted(one.id for one in found.differences) == sorted(one.id for one in plain.differences)
    assert [one for one in found.differences if one.state not in (*DRIFT_STATES, State.EXPECTED)] == [
        one for one in plain.differences if one.state not in DRIFT_STATES
    ]
    assert sum(found.summary().values()) == sum(plain.summary().values())
    assert applied(found, rules, SIDES, NOON, table) == found
    before = keyed(plain)
    assert all(one.found == before[place].state for place, one in keyed(found).items() if one.found)


@given(twins(), st.lists(RULES, max_size=6), st.randoms(use_true_random=False))
def test_what_is_expected_does_not_depend_on_the_order_of_rules_or_sides(
    sides: tuple[Fingerprint, Fingerprint], rules: list[Rule], random: Any
) -> None:
    plain = rate(compare(*sides))
    others = list(rules)
    random.shuffle(others)
    one, other = (keyed(applied(plain, *each)) for each in ((rules, SIDES, NOON), (others, SIDES[::-1], NOON)))
    assert {place: each.state for place, each in one.items()} == {place: each.state for place, each in other.items()}


@given(twins(), st.lists(RULES, max_size=6))
def test_more_rules_never_make_drift_of_what_is_expected(
    sides: tuple[Fingerprint, Fingerprint], rules: list[Rule]
) -> None:
    plain = rate(compare(*sides))
    few, many = (keyed(applied(plain, some, SIDES, NOON)) for some in (rules[:3], rules))
    assert all(many[place].state == State.EXPECTED for place, one in few.items() if one.state == State.EXPECTED)


def test_rules_that_would_take_too_long_are_refused_instead_of_tried_for_hours() -> None:
    rules = [rule(f"*{'?a' * 200}*{number}") for number in range(1000)]
    differences = tuple(
        Difference("python/srv/shop", "python", f"{number}{'a' * 1000}", "version", State.CHANGED, "1", "2")
        for number in range(10_000)
    )
    plain = Comparison(Target("host", "a"), Target("host", "b"), differences, 0, 1, (), ())
    with pytest.raises(UsageError, match="take too long"):
        applied(plain, rules, SIDES, NOON)


def test_nothing_to_apply_leaves_the_comparison_as_it_is() -> None:
    plain = compared()
    assert applied(plain, (), SIDES, NOON, NO_SEVERITIES) is plain


def test_two_rules_that_do_the_same_have_one_id_whatever_their_reason() -> None:
    one, other = rule("os", "env:dev,zone=a,role=web"), rule("os", "env:dev,role=web,zone=a", owner="ada")
    assert one.id == other.id
    assert rule("os").id != one.id != rule("os", "env:dev,zone=a,role=web", severity="low").id
    assert canonical_hosts("env:dev,zone=a,role=web") == "env:dev,role=web,zone=a"
    assert canonical_hosts("role=web") == "env:*,role=web"


def test_a_document_of_a_rule_is_read_back_as_the_same_rule() -> None:
    one = rule("os-packages/*", "env:dev", owner="ada", expires="2027-03-01T02:00:00+02:00", severity="high")
    document = document_of(one)
    assert document["expires"] == "2027-03-01T00:00:00+00:00"
    assert rule_of({key: value for key, value in document.items() if key != "id"}) == one
    assert one.expires == datetime(2027, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("changed", "key"),
    [
        ({"hosts": "evn:dev"}, "hosts"),
        ({"hosts": "baseline:shop"}, "hosts"),
        ({"hosts": "env:dev@yesterday"}, "hosts"),
        ({"hosts": "host:web-1#python/x"}, "hosts"),
        ({"hosts": "host:web-1,role=web"}, "hosts"),
        ({"severity": "worst"}, "severity"),
        ({"severity": 3}, "severity"),
        ({"expires": "tomorrow"}, "expires"),
        ({"expires": 20270301}, "expires"),
        ({"expires": "0001-01-01T00:00+12:00"}, "expires"),
        ({"reason": "  "}, "reason"),
        ({"reason": None}, "reason"),
        ({"match": ""}, "match"),
        ({"match": "a" * 1025}, "match"),
        ({"owner": "a\0b"}, "owner"),
        ({"regex": ".*"}, "regex"),
    ],
)
def test_a_wrong_rule_says_which_key_is_wrong(changed: dict[str, Any], key: str) -> None:
    with pytest.raises(WrongRule) as problem:
        rule_of({"match": "os", "reason": "why", **changed})
    assert problem.value.key == key


@pytest.mark.parametrize(
    ("rules", "severity", "message"),
    [
        ("os", (), "rules is not a list"),
        (({"match": "os", "reason": "why"},) * 1001, (), "rules is not a list of at most 1000"),
        (({"match": "os", "reason": "why"}, {"match": "os"}), (), r"rules\[1\]: the rule has no reason"),
        ((None,), (), r"rules\[0\]: a rule is not a table"),
        ((), ({"match": "os"},), r"severity\[0\]: "),
        ((), ({"match": "os", "severity": {"huge": "low"}},), r"severity\[0\]: 'huge' is no version distance"),
        ((), ({"match": "os", "severity": {"major": "worst"}},), r"severity\[0\]: 'worst' is no severity"),
    ],
)
def test_wrong_rules_of_a_question_say_which_one_is_wrong(rules: Any, severity: Any, message: str) -> None:
    with pytest.raises(InvalidDocument, match=message):
        of_question(rules, severity)


def test_a_selector_of_a_rule_is_told_as_such() -> None:
    with pytest.raises(UsageError, match="not a selector"):
        canonical_hosts("prod")
    assert replace(rule("os"), hosts="").covers(Subject("anything"))


def test_the_example_of_a_project_s_file_says_what_it_says() -> None:
    rules, severities = of_project(read_project(str(ROOT / "examples/envparity.toml")))
    kernel, debugger, settings = rules
    assert kernel.covers(Subject("laptop", "dev"))
    assert kernel.expires == datetime(2037, 3, 1, tzinfo=UTC)
    assert (debugger.hosts, settings.severity) == ("env:dev,role=web", Severity.INFO)
    found = applied(compared(), rules, SIDES, NOON, severities)
    assert [(one.item, one.severity) for one in found.differences] == [
        ("flask", Severity.HIGH),
        ("idna", Severity.MEDIUM),
    ]
