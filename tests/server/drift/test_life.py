"""Tests of the states of a drift: when it is told, when it ages, and when it is resolved."""

from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envparity_server.drift.life import DECIDED, OPEN, Event, Life, Sight, State, begun, step
from tests.server.making import NOON

SETTLE = timedelta(hours=1)
HOUR = timedelta(hours=1)
COMES = Sight(was_live=False, is_live=True, moved=True)
LASTS = Sight(was_live=True, is_live=True, moved=False)
JOINS = Sight(was_live=True, is_live=True, moved=True)
GOES = Sight(was_live=True, is_live=False, moved=True)
AWAY = Sight(was_live=False, is_live=False, moved=False)


def lived(*sights: tuple[float, Sight], first: bool = False) -> tuple[Life, list[tuple[float, Event]]]:
    """The life after some sights, each some hours after noon, and what was told at which hour."""
    life, told = begun(NOON, first), []
    for hours, sight in sights:
        life, event = step(life, sight, NOON + hours * HOUR, SETTLE)
        told += [(hours, event)] if event else []
    return life, told


def test_it_is_told_once_nothing_moved_for_the_settle_time() -> None:
    life, told = lived((0, COMES), (0.5, JOINS), (1, LASTS), (1.5, LASTS), (2, LASTS))
    assert (life.state, told) == (State.NEW, [(1.5, Event.NEW)])


def test_what_never_stops_moving_is_told_after_twelve_hours() -> None:
    _, told = lived((0, COMES), *((hour / 2, JOINS) for hour in range(1, 30)))
    assert told == [(12, Event.NEW)]


def test_what_goes_before_it_settled_is_never_told() -> None:
    life, told = lived((0, COMES), (0.5, GOES), (1, AWAY), (1.5, AWAY))
    assert (life.state, told) == (State.RESOLVED, [])


def test_what_flaps_is_told_once_it_stays_and_how_often_it_came_again() -> None:
    life, told = lived((0, COMES), (0.5, GOES), (1, COMES), (1.5, GOES), (2, COMES), (3, LASTS))
    assert (life.state, life.regressions, told) == (State.NEW, 2, [(3, Event.NEW)])


def test_what_was_told_is_told_to_be_resolved_once_it_was_away_for_the_settle_time() -> None:
    life, told = lived((0, COMES), (1, LASTS), (5, GOES), (5.5, AWAY), (6, AWAY), (7, AWAY))
    assert (life.state, told) == (State.RESOLVED, [(1, Event.NEW), (6, Event.RESOLVED)])


def test_a_short_absence_of_what_was_told_is_not_told() -> None:
    life, told = lived((0, COMES), (1, LASTS), (5, GOES), (5.5, COMES), (9, LASTS))
    assert (life.state, life.regressions, told) == (State.NEW, 1, [(1, Event.NEW)])


def test_what_comes_again_after_it_was_resolved_has_regressed() -> None:
    life, told = lived((0, COMES), (1, LASTS), (2, GOES), (3, AWAY), (9, COMES), (10, LASTS))
    assert (life.state, life.regressions) == (State.REGRESSED, 1)
    assert told == [(1, Event.NEW), (3, Event.RESOLVED), (10, Event.REGRESSED)]


def test_what_was_never_told_is_new_when_it_comes_again() -> None:
    _, told = lived((0, COMES), (0.5, GOES), (1.5, AWAY), (9, COMES), (10, LASTS))
    assert told == [(10, Event.NEW)]


def test_after_a_day_it_is_ongoing() -> None:
    assert lived((0, COMES), (1, LASTS), (24.5, LASTS))[0].state == State.NEW
    assert lived((0, COMES), (1, LASTS), (25, LASTS))[0].state == State.ONGOING


def test_what_hosts_had_from_the_start_is_new_at_once_and_never_told() -> None:
    life, told = lived((0, COMES), (9, LASTS), (10, GOES), (12, AWAY), first=True)
    assert (life.state, told) == (State.RESOLVED, [])
    assert lived((0, COMES), first=True)[0].state == State.NEW


def test_what_is_critical_is_told_with_the_next_report() -> None:
    urgent = Sight(was_live=True, is_live=True, moved=False, urgent=True)
    assert lived((0, COMES), (0.25, urgent))[1] == [(0.25, Event.NEW)]


def test_a_deploy_holds_it_until_it_is_over() -> None:
    held = Sight(was_live=True, is_live=True, moved=False, held=True)
    assert lived((0, COMES), *((hour, held) for hour in range(1, 20)), (20, LASTS))[1] == [(20, Event.NEW)]


@pytest.mark.parametrize("state", sorted(DECIDED))
def test_what_was_decided_stays_so_until_it_is_resolved(state: State) -> None:
    decided = Life(state, NOON, NOON, until=NOON + 30 * HOUR, notified_at=NOON)
    assert step(decided, LASTS, NOON + 29 * HOUR, SETTLE) == (decided, None)
    gone, event = step(step(decided, GOES, NOON + 2 * HOUR, SETTLE)[0], AWAY, NOON + 3 * HOUR, SETTLE)
    assert (gone.state, gone.until, event) == (State.RESOLVED, None, Event.RESOLVED)


def test_a_snooze_ends() -> None:
    snoozed = Life(State.SNOOZED, NOON, NOON, until=NOON + HOUR, notified_at=NOON)
    assert step(snoozed, LASTS, NOON + HOUR, SETTLE)[0].state == State.ONGOING


def test_what_comes_again_and_goes_before_it_settled_is_not_resolved_twice() -> None:
    came_and_went = ((0, COMES), (1, LASTS), (2, GOES), (3, AWAY))
    again = ((10, COMES), (10.1, GOES), (12, AWAY))
    assert [event for _, event in lived(*came_and_went, *again)[1]] == [Event.NEW, Event.RESOLVED]


@given(
    st.lists(
        st.tuples(st.integers(1, 300), st.booleans(), st.booleans(), st.booleans(), st.booleans()), max_size=60
    )
)  # fmt: skip
def test_whatever_is_seen_nothing_is_told_twice(seen: list[tuple[int, bool, bool, bool, bool]]) -> None:
    life, now, live = begun(NOON, False), NOON, False
    told: list[Event] = []
    for minutes, is_live, moved, urgent, held in [(0, True, True, False, False), *seen]:
        now += timedelta(minutes=minutes)
        sight = Sight(live, is_live, moved or live != is_live, urgent, held)
        before = life
        life, event = step(life, sight, now, SETTLE)
        assert event is None or life.state != before.state
        if event:
            told.append(event)
        again = Sight(is_live, is_live, False, urgent, held)
        assert step(life, again, now, SETTLE) == (life, None)
        assert life.state in OPEN or not is_live
        live = is_live
    assert all(one != Event.NEW for one in told[1:])
    assert all({one, other} >= {Event.RESOLVED} and one != other for one, other in pairwise(told))
