"""Tests of which findings are one drift."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envparity_server.drift.causes import Course, fold, refreshed
from envparity_server.drift.findings import Finding, Moved
from envparity_server.drift.life import State
from tests.server.drift.finding import course, found, from_start, item
from tests.server.making import NOON

Folded = list[tuple[str | None, list[str]]]


def folded(findings: list[Finding], open: list[Course] | None = None, resolved: list[Course] | None = None) -> Folded:
    """Each cause: its drift, and who has what."""
    causes = fold(findings, open or [], resolved or [])
    return [(one.drift, [f"{each.item.subject} {each.item.key.item}" for each in one.findings]) for one in causes]


def test_what_came_with_one_report_is_one_cause() -> None:
    assert folded([found("a", "flask"), found("a", "idna")]) == [(None, ["a flask", "a idna"])]


def test_what_came_with_two_reports_is_two() -> None:
    assert folded([found("a", "flask"), found("a", "idna", hours=1)]) == [(None, ["a flask"]), (None, ["a idna"])]


def test_one_item_on_many_hosts_is_one_cause_with_all_that_came_with_it() -> None:
    findings = [found("a", "flask"), found("a", "idna"), found("b", "idna", hours=1), found("b", "six", hours=1)]
    assert folded(findings) == [(None, ["a flask", "a idna", "b idna", "b six"])]


def test_sections_are_apart() -> None:
    other = Finding(item("a", "curl", section="os-packages"), "os-packages", Moved.HOST)
    assert len(folded([found("a", "flask"), other])) == 2


def test_when_the_reference_moved_all_hosts_and_items_are_one_cause() -> None:
    moved = [found(host, name, moved=Moved.REFERENCE) for host in "ab" for name in ("flask", "idna")]
    assert folded(moved) == [(None, ["a flask", "b flask", "a idna", "b idna"])]


def test_another_host_joins_an_open_drift_with_what_came_to_it_in_that_report() -> None:
    open = [course("d1", item("a", "flask"))]
    assert folded([found("b", "flask", hours=1), found("b", "six", hours=1)], open) == [("d1", ["b flask", "b six"])]


def test_a_drift_that_is_old_takes_only_its_own_items() -> None:
    open = [course("d1", item("a", "flask"), state=State.ONGOING)]
    assert folded([found("b", "flask", hours=1), found("b", "six", hours=1)], open) == [
        ("d1", ["b flask"]), (None, ["b six"])
    ]  # fmt: skip


@pytest.mark.parametrize("state", [State.ACKNOWLEDGED, State.SNOOZED])
def test_what_was_decided_on_covers_the_values_that_were_seen_and_no_others(state: State) -> None:
    open = [course("d1", item("a", "flask", "2", "1"), state=state)]
    assert folded([found("b", "flask", "2")], open) == [("d1", ["b flask"])]
    assert folded([found("b", "flask", "1")], open) == [("d1", ["b flask"])]  # the others moved to 2
    assert folded([found("b", "flask", "3")], open) == [(None, ["b flask"])]


def test_a_host_that_leaves_the_values_of_a_decision_leaves_the_drift() -> None:
    decided = course("d1", item("a", "flask", "2"), state=State.ACKNOWLEDGED)
    new = found("a", "flask", "3")
    (kept,) = refreshed(decided, {("a", new.item.key): new}, lambda _: False, NOON + timedelta(hours=2))
    assert kept.gone_at == NOON + timedelta(hours=2)
    (kept,) = refreshed(replace(decided, state=State.NEW), {("a", new.item.key): new}, lambda _: False, NOON)
    assert (kept.left, kept.gone_at, kept.since_before) == ("3", None, NOON)


def test_what_nothing_was_learnt_of_stays() -> None:
    before = course("d1", item("a", "flask"))
    assert refreshed(before, {}, lambda _: False, NOON) == before.items
    assert [one.gone_at for one in refreshed(before, {}, lambda _: True, NOON)] == [NOON]


def test_what_hosts_had_from_the_start_is_one_where_it_is_the_very_same() -> None:
    same = [from_start(host, name) for host in "ab" for name in ("flask", "idna")]
    other = [from_start("c", "flask", "3")]
    assert folded([*same, *other]) == [(None, ["a flask", "a idna", "b flask", "b idna"]), (None, ["c flask"])]


def test_what_hosts_had_from_the_start_joins_its_like_and_swallows_nothing() -> None:
    open = [course("d1", item("a", "flask"), first=True)]
    assert folded([from_start("b", "flask")], open) == [("d1", ["b flask"])]
    assert folded([from_start("b", "flask"), from_start("b", "six")], open) == [(None, ["b flask", "b six"])]
    assert folded([found("b", "flask")], open) == [(None, ["b flask"])]


def test_what_was_resolved_comes_again_value_by_value() -> None:
    gone = [course("d1", item("a", "flask", "2", "1"), state=State.RESOLVED)]
    assert folded([found("b", "flask", "2")], [], gone) == [("d1", ["b flask"])]
    assert folded([found("b", "flask", "3")], [], gone) == [(None, ["b flask"])]
    assert folded([found("b", name) for name in ("flask", "idna", "six")], [], gone) == [
        (None, ["b flask", "b idna", "b six"])
    ]


findings = st.builds(
    found, st.sampled_from("abc"), st.sampled_from(["flask", "idna", "six"]), st.sampled_from("123"),
    st.sampled_from([0.0, 1.0]), st.sampled_from(Moved),
)  # fmt: skip
distinct = st.lists(findings, max_size=9, unique_by=lambda one: (one.item.subject, one.item.key))


@given(distinct.flatmap(lambda some: st.tuples(st.just(some), st.permutations(some))), st.sampled_from(State))
def test_every_finding_is_in_one_cause_in_whatever_order_they_come(
    both: tuple[list[Finding], list[Finding]], state: State
) -> None:
    some, other = both
    open = [course("d1", item("z", "flask"), state=state)] if state != State.RESOLVED else []
    assert folded(some, open) == folded(other, open)
    placed = [each for _, cause in folded(some, open) for each in cause]
    assert sorted(placed) == sorted(f"{one.item.subject} {one.item.key.item}" for one in some)
