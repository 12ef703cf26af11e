"""Tests of how a drift reads."""

from dataclasses import replace
from typing import Any

import pytest

from envparity_server.compare.model import Severity
from envparity_server.drift.findings import Item, Key, Moved
from envparity_server.drift.words import Told, words
from tests.server.drift.finding import SHOP, item
from tests.server.making import NOON

NAMES = {"a": "web-1", "b": "web-2", "c": "web-3", "d": "web-4"}
SINCE = "since between 2026-11-01 11:45 and 12:00 UTC"


def told(*items: Item, **changed: Any) -> str:
    """The words of a drift of 40 hosts."""
    one = Told("env:prod", "env:prod", SHOP, "python", Moved.HOST, items, NAMES, 40)
    return words(replace(one, **changed))


def test_a_version_on_some_hosts_is_told_with_numbers_names_times_and_what_is_not_known() -> None:
    three = [item(host, "requests", "2.32.0", "2.31.0") for host in "abc"]
    expected = f"{SHOP}: requests 2.31.0 -> 2.32.0 on 3 of 40 hosts (web-1, web-2, web-3), {SINCE}, actor unknown"
    assert told(*three) == expected
    assert told(*(item(host, "requests") for host in "abcd")).startswith(f"{SHOP}: requests 1 -> 2 on 4 of 40 hosts, ")


def test_of_one_host_its_name_is_told() -> None:
    assert told(item("a", "six"), actor="apt upgrade (by ada)") == (
        f"{SHOP}: six 1 -> 2 on web-1, {SINCE}, apt upgrade (by ada)"
    )


def test_hosts_that_are_behind_are_told_so() -> None:
    assert told(item("a", "six"), moved=Moved.REFERENCE) == (
        f"{SHOP}: six 2, not 1, compared with env:prod, on web-1, {SINCE}, the others moved, actor unknown"
    )
    pinned = told(item("a", "six"), moved=Moved.REFERENCE, reference="baseline:shop")
    assert "compared with baseline:shop" in pinned
    assert "the reference moved" in pinned


def test_many_items_are_counted() -> None:
    names = [f"p{number:02}" for number in range(40)]
    many = told(*(item(host, name) for host in "abcd" for name in names), converging=True)
    assert many.startswith(f"{SHOP}: 40 items (p00, p01, p02, p03 and 36 more) on 4 of 40 hosts, converging, since")


def test_several_values_of_an_item_are_listed() -> None:
    assert "requests (2, 3)" in told(item("a", "requests", "2"), item("b", "requests", "3"))


def test_a_section_that_some_have_more_and_others_not_is_told_the_same_in_any_order() -> None:
    place = Key(SHOP, "", "")
    more = replace(item("a", "six"), key=place, state="only_left", left=None, right=None)
    less = replace(more, subject="b", state="only_right")
    assert "the whole section (not there, there) on 2 of 40 hosts" in told(more, less)
    assert told(more, less) == told(less, more)


@pytest.mark.parametrize(
    ("state", "moved", "expected"),
    [
        ("only_left", Moved.HOST, "six 2 was added on"),
        ("only_left", Moved.UNKNOWN, "six 2 is extra, compared with env:prod, on"),
        ("only_right", Moved.HOST, "six 1 was removed on"),
        ("only_right", Moved.UNKNOWN, "six 1 is missing, compared with env:prod, on"),
    ],
)
def test_what_came_or_went_is_told(state: str, moved: Moved, expected: str) -> None:
    left, right = ("2", None) if state == "only_left" else (None, "1")
    one = replace(item("a", "six"), state=state, left=left, right=right)
    assert expected in told(one, moved=moved)


def test_what_hosts_had_from_the_start_has_no_moment() -> None:
    one = replace(item("a", "six"), since_after=None, since_before=None)
    assert told(one, moved=Moved.UNKNOWN).endswith("on web-1, since the first report, actor unknown")


def test_a_file_in_the_layer_of_a_container_is_told_by_its_change() -> None:
    key = Key("container/shop.web", "layer:/srv/app.py", "change")
    one = Item("a", key, "only_left", "modified", None, None, Severity.HIGH, None, NOON)
    assert told(one, section=key.section).startswith("container/shop.web: layer:/srv/app.py modified on web-1, since")


def test_a_deploy_and_how_often_it_came_again_are_told() -> None:
    assert told(item("a", "six"), deploy="left by deploy shop 1.5", regressions=2).endswith(
        "actor unknown, left by deploy shop 1.5, came again 2 times"
    )


def test_an_environment_as_a_whole_is_no_count_of_hosts() -> None:
    one = told(item("env:test", "six"), selector="env:test", reference="env:prod")
    assert one.startswith(f"{SHOP}: six 1 -> 2 in env:test, since")


def test_silence_is_told_by_the_last_reports() -> None:
    silence = [replace(item(host, "", hours=hours), state="unknown", key=Key("", "", ""))
               for hours, host in enumerate("ab")]  # fmt: skip
    assert told(*silence, kind="stale", selector="env:prod") == (
        "2 of 40 hosts of prod stopped reporting between 2026-11-01 11:45 and 12:45 UTC"
    )
    assert told(silence[0], kind="stale", selector="env:prod") == (
        "web-1 of prod stopped reporting between 2026-11-01 11:45 and 12:00 UTC"
    )
    together = [silence[0], replace(silence[0], subject="b")]
    assert told(*together, kind="stale", selector="env:prod") == (
        "2 of 40 hosts of prod stopped reporting at 2026-11-01 11:45 UTC"
    )
