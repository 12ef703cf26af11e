"""Tests of which hosts fell silent together."""

from datetime import timedelta

from envparity_server.drift.causes import Course
from envparity_server.drift.life import State
from envparity_server.drift.silence import fold, silent
from tests.server.making import NOON

QUARTER = timedelta(minutes=15)


def test_hosts_that_stop_within_an_interval_of_each_other_are_one() -> None:
    minutes = {"a": 0, "b": 14, "c": 28, "d": 60}
    findings = [silent(host, NOON + timedelta(minutes=one), NOON + timedelta(minutes=one) + QUARTER, False)
                for host, one in minutes.items()]  # fmt: skip
    assert [[one.item.subject for one in cause.findings] for cause in fold(findings, [])] == [["a", "b", "c"], ["d"]]


def test_a_host_joins_those_that_are_silent_since_then() -> None:
    first = silent("a", NOON, NOON + QUARTER, False)
    open = [Course("d1", State.NEW, False, NOON, (first.item,))]
    near, far = (silent("b", NOON + minutes * QUARTER, NOON + (minutes + 1) * QUARTER, False) for minutes in (1, 3))
    assert [one.drift for one in fold([near], open)] == ["d1"]
    assert [one.drift for one in fold([far], open)] == [None]
