"""Tests of the page Compare: pick two, see what differs, and what was not examined."""

from datetime import UTC, datetime, timedelta

import pytest

from envparity_agent.fingerprint import Reason, Status
from envparity_server.drift.rules import rule_of
from envparity_server.storage import rules
from envparity_server.storage.database import writing
from tests.server.asking import Asking
from tests.server.dashboard.reading import seen
from tests.server.fleet import enrolled, reported
from tests.server.making import ENGINE, OPERATING_SYSTEM, SEARCHED, host, packages, section

SHOP = "python/srv/shop"


def many(version: str) -> dict[str, str]:
    """More distributions than are shown at once."""
    return {f"package-{number:02}": version for number in range(20)}


@pytest.fixture
def fleet(pages: Asking) -> Asking:
    """A server that knows dev and prod, which differ in many packages and in the engine of dev."""
    now = datetime.now(UTC)
    blind = section("containers", {}, Status.FAILED, Reason.PERMISSION)
    with writing(pages.engine) as connection:
        reported(connection, "dev-1", host(OPERATING_SYSTEM, SEARCHED, blind, packages(many("1.0"))), now, "dev")
        reported(connection, "web-1", host(OPERATING_SYSTEM, SEARCHED, ENGINE, packages(many("2.0"))), now, "prod")
        twin = host(OPERATING_SYSTEM, SEARCHED, ENGINE, packages({**many("2.0"), "package-00": "2.0.1"}))
        reported(connection, "web-2", twin, now, "twin")
        old = now - timedelta(days=2)
        reported(connection, "old-1", host(OPERATING_SYSTEM, SEARCHED, ENGINE, packages(many("2.0"))), old, "old")
        enrolled(connection, "silent", "staging")
    return pages


def test_an_empty_server_has_nothing_to_compare_yet(pages: Asking) -> None:
    assert "Nothing to compare yet" in seen(pages.get("/compare")).text


def test_what_can_be_picked_is_listed(fleet: Asking) -> None:
    page = seen(fleet.get("/compare"))
    assert {"env:dev", "env:prod", "host:web-1"} <= set(page.values("option", "value"))
    assert "dev against" in page.text


def test_what_differs_is_shown_with_its_words_and_distance(fleet: Asking) -> None:
    text = seen(fleet.get("/compare", left="env:twin", right="env:prod")).text
    assert "1 low" in text
    assert "package-00 2.0.1 → 2.0 patch" in text
    assert "Everything that both sides have was compared." in text


def test_what_does_not_differ_is_said_with_what_was_compared(fleet: Asking) -> None:
    text = seen(fleet.get("/compare", left="host:web-1", right="env:prod")).text
    assert "Nothing differs · 22 items the same in 4 sections" in text


def test_a_comparison_of_nothing_does_not_say_that_nothing_differs(fleet: Asking) -> None:
    text = seen(fleet.get("/compare", left="host:web-1", right="env:prod", only="declared")).text
    assert "Nothing differs" not in text
    assert "Everything that both sides have was compared." not in text


def test_what_was_not_examined_is_said_although_something_differs(fleet: Asking) -> None:
    text = seen(fleet.get("/compare", left="env:dev", right="env:prod")).text
    assert "1 part could not be compared: this is not parity" in text
    assert "containers : left: failed(permission)" in text
    assert "Could one of these be the cause?" not in text


def test_a_gap_alone_is_no_parity(fleet: Asking) -> None:
    text = seen(fleet.get("/compare", left="env:dev", right="env:prod", only="containers")).text
    assert "No difference, but gaps" in text
    assert "Likely causes" not in text
    assert "Could one of these be the cause?" in text


def test_what_differs_leads_to_who_else_has_it(fleet: Asking) -> None:
    page = seen(fleet.get("/compare", left="env:twin", right="env:prod"))
    assert "/packages/item?section=python%2Fsrv%2Fshop&item=package-00" in page.links


def test_a_section_with_many_differences_is_one_line_that_opens(fleet: Asking) -> None:
    page = seen(fleet.get("/compare", left="env:dev", right="env:prod"))
    assert "20 changed (20 major)" in page.text
    assert "package-19" not in page.text
    (address,) = [one for one in page.values("details", "hx-get") if "section=" in one]
    assert address in page.links
    assert SHOP.replace("/", "%2F") in address
    opened = fleet.ask("GET", address, headers={"HX-Request": "true"})
    fragment = seen(opened)
    assert "<html" not in opened.text
    assert "<main" not in opened.text
    assert all(f"package-{number:02} 1.0 → 2.0 major" in fragment.text for number in range(20))
    assert "containers" not in fragment.text


def test_a_folded_section_opens_on_a_page_of_its_own_without_scripts(fleet: Asking) -> None:
    page = seen(fleet.get("/compare", left="env:dev", right="env:prod", section=SHOP))
    assert "package-19 1.0 → 2.0 major" in page.text
    assert "Log out" in page.text
    assert "/compare?left=env%3Adev&right=env%3Aprod" in page.links


def test_a_whole_page_is_answered_to_htmx_where_no_section_is_asked_for(fleet: Asking) -> None:
    address = "/compare?left=env:dev&right=env:prod"
    assert "<html" in fleet.ask("GET", address, headers={"HX-Request": "true"}).text


@pytest.mark.parametrize(
    ("query", "status", "said"),
    [
        ({"left": "evn:dev", "right": "env:prod"}, 422, "'evn:dev' is not a selector"),
        ({"left": "env:dev", "right": "host:nobody"}, 422, "no host nobody"),
        ({"left": "env:dev", "right": "env:prod", "only": "pyhton"}, 422, "pyhton is no kind of section"),
        ({"left": "host:web-1@tomorrow", "right": "env:prod"}, 422, "'tomorrow' is not a moment"),
        ({"left": "host:web-1#nowhere", "right": "env:prod"}, 422, "no section nowhere"),
        ({"left": "env:prdo", "right": "env:prod"}, 422, "env:prdo: never seen"),
        ({"left": "host:silent", "right": "env:prod"}, 424, "no report yet from silent"),
    ],
)
def test_a_wrong_question_is_told_in_the_page_and_can_be_corrected(
    fleet: Asking, query: dict[str, str], status: int, said: str
) -> None:
    answer = fleet.get("/compare", **query)
    page = seen(answer)
    assert answer.status_code == status
    assert said in page.text
    assert {query["left"], query["right"]} <= set(page.values("input", "value"))


def test_a_stale_side_is_said(fleet: Asking) -> None:
    text = seen(fleet.get("/compare", left="host:old-1", right="env:prod")).text
    assert "1 of 1 stale: old-1 (last seen" in text


def test_the_sides_can_be_swapped(fleet: Asking) -> None:
    page = seen(fleet.get("/compare", left="env:dev", right="env:prod", only="python"))
    assert "/compare?left=env%3Aprod&right=env%3Adev&only=python" in page.links


def test_a_pair_of_unlike_paths_is_said_to_be_one(fleet: Asking) -> None:
    with writing(fleet.engine) as connection:
        moved = host(OPERATING_SYSTEM, SEARCHED, ENGINE, packages({**many("2.0"), "package-00": "3.0"}, "python/opt/x"))
        reported(connection, "web-9", moved, datetime.now(UTC), "moved")
    text = seen(fleet.get("/compare", left="env:moved", right="env:prod")).text
    assert "held against python/srv/shop: 100 % of the package names in common" in text


def expecting(fleet: Asking, match: str, **more: str) -> str:
    """A rule on the server; returns its id."""
    rule = rule_of({"match": match, "reason": "<b>by design</b>", **more})
    with writing(fleet.engine) as connection:
        rules.add(connection, rule, None, "person:ada", datetime.now(UTC))
    return rule.id


def test_what_a_rule_expects_is_counted_and_listed_below_its_rule(fleet: Asking) -> None:
    id = expecting(fleet, "python/*/package-00")
    text = seen(fleet.get("/compare", left="env:twin", right="env:prod")).text
    assert "Nothing unexpected differs · 1 expected · 21 items the same" in text
    assert f"1 expected by the rule {id}: <b>by design</b>" in text
    assert "package-00 : 2.0.1 → 2.0" in text
    assert "Nothing differs" not in text


def test_gaps_stay_gaps_whatever_rules_expect_and_an_expired_rule_is_told(fleet: Asking) -> None:
    expecting(fleet, "python/*", expires="2020-03-01", severity="critical")
    text = seen(fleet.get("/compare", left="env:dev", right="env:prod")).text
    assert "20 high" in text
    assert "expired on 2020-03-01: 20 differences no longer covered" in text
    expecting(fleet, "*")
    text = seen(fleet.get("/compare", left="env:dev", right="env:prod")).text
    assert "No difference, but gaps · 20 expected" in text
