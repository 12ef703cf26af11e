"""Compare, Rules and Baselines in a real browser, light and dark, empty and full; and the way from a row to a rule."""

from datetime import UTC, datetime

import pytest
from playwright.sync_api import expect
from sqlalchemy import Connection

from envparity_agent.fingerprint import Fingerprint, Reason, Status
from envparity_server import baselining
from envparity_server.baselining import Proposal
from envparity_server.drift.rules import rule_of
from envparity_server.storage import rules
from envparity_server.storage.actors import Actor, Role
from envparity_server.storage.database import writing
from tests.browsing import Watched
from tests.server.asking import Asking
from tests.server.fleet import reported
from tests.server.making import ENGINE, OPERATING_SYSTEM, SEARCHED, host, packages, section, versions

pytestmark = [
    pytest.mark.browser,
    # the driver's event loop outlives each test that fails, and is told as unclosed
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

ADA = Actor("person:ada", Role.ADMIN)
SIDES = "left=env:dev&right=env:prod"
LONG = "a-name-as-long-as-they-come-" + "x" * 80


def running(version: str, *, blind: bool = False) -> Fingerprint:
    """A host with a few packages that differ, and many of the system that do."""
    containers = section("containers", {}, Status.FAILED, Reason.PERMISSION) if blind else ENGINE
    system = section("os-packages", versions({f"lib{number}": f"{version}-{number}" for number in range(30)}))
    shop = packages({"flask": "3.0", "urllib3": version, LONG: version}, "python/shop")
    return host(OPERATING_SYSTEM, SEARCHED, containers, system, shop)


def fill(connection: Connection) -> str:
    """Two environments that differ, rules of every state, a baseline of every state; the id of a rule."""
    now = datetime.now(UTC)
    reported(connection, "dev-1", running("2.2.1", blind=True), now, "dev")
    for number in range(3):
        reported(connection, f"web-{number}", running("1.26.18" if number else "1.25.0"), now, "prod")
    made = [
        rule_of({"match": match, "reason": f"by design {LONG}", "expires": expires, "severity": severity})
        for match, expires, severity in (
            ("os/*", "2020-01-01", None), (f"python/*/{LONG}", "2099-01-01", None), ("os-packages/*", None, "low"),
        )
    ]  # fmt: skip
    for one in made:
        rules.add(connection, one, None, "person:ada", now)
    rules.count_hits(connection, {made[1].id: 12}, now)
    for number in (1, 2, 3):
        baselining.pin(connection, ADA, Proposal("shop", "env:prod", "", f"release {number} {LONG}"), None, now)
        if number < 3:
            baselining.approve(connection, ADA, "shop", number, now)
    baselining.pin_today(connection, ADA, "today", "env:dev", "the start", now)
    return made[1].id


def test_the_pages_without_anything_can_be_used_by_everybody(watched: Watched) -> None:
    for path in ("/compare", "/rules", "/rules/new", "/baselines"):
        watched.check(path)


def test_the_pages_with_much_can_be_used_by_everybody(watched: Watched, small_api: Asking) -> None:
    with writing(small_api.engine) as connection:
        id = fill(connection)
    for path in (
        f"/compare?{SIDES}",
        f"/compare?{SIDES}&layout=side&all=1",
        f"/compare/causes?{SIDES}",
        "/rules",
        f"/rules/new?match=python/shop/urllib3&back=/compare?{SIDES}",
        f"/rules/{id}",
        f"/rules/{id}/remove",
        "/baselines",
        "/baselines/shop",
    ):
        watched.check(path)


def test_a_difference_is_expected_from_its_row_by_keyboard_and_taken_back(watched: Watched, small_api: Asking) -> None:
    with writing(small_api.engine) as connection:
        fill(connection)
    watched.open(f"/compare?{SIDES}")
    page = watched.page
    expect(page.get_by_role("heading", name="Likely causes, and how to undo them")).to_be_visible()
    page.get_by_role("link", name="Expected? urllib3").press("Enter")
    expect(page.get_by_text("In the comparison that you come from it hides 1 of")).to_be_visible()
    page.get_by_label("Reason").fill("rolled out next week")
    page.get_by_role("button", name="Make the rule").press("Enter")
    expected = page.get_by_text("rolled out next week")
    expect(expected).to_be_visible()
    expect(page.get_by_role("link", name="Expected? urllib3")).to_have_count(0)
    expected.click()
    rule = page.locator("details", has=expected).get_by_role("link", name="The rule, and how to take it back")
    rule.press("Enter")
    page.get_by_role("link", name="Take it back").press("Enter")
    page.get_by_role("button", name="Take it back").press("Enter")
    expect(page.get_by_role("heading", name="Rules")).to_be_visible()
    watched.open(f"/compare?{SIDES}")
    expect(page.get_by_role("link", name="Expected? urllib3")).to_be_visible()
    assert watched.complaints == []


def test_what_differs_is_seen_below_the_likeliest_cause_without_scrolling_and_reached_by_keys(
    watched: Watched, small_api: Asking
) -> None:
    with writing(small_api.engine) as connection:
        fill(connection)
    watched.open(f"/compare?{SIDES}&only=python")
    page = watched.page
    causes = page.get_by_role("region", name="Likely causes")
    expect(causes.get_by_text("1. urllib3 2.2.1 → 1.26.18")).to_be_visible()
    second = causes.get_by_text("2. a-name-as-long")
    expect(second).to_be_hidden()
    row = page.get_by_role("rowheader", name="urllib3").get_by_role("link")
    expect(row).to_be_in_viewport()
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(row).to_be_focused()
    page.get_by_text("more candidate").click()
    expect(second).to_be_visible()
    assert watched.complaints == []


def test_a_folded_section_opens_in_its_place_and_the_other_way_round_is_asked(
    watched: Watched, small_api: Asking
) -> None:
    with writing(small_api.engine) as connection:
        fill(connection)
    watched.open(f"/compare?{SIDES}")
    page = watched.page
    page.get_by_text("30 changed").press("Enter")
    expect(page.get_by_role("rowheader", name="lib29")).to_be_visible()
    page.get_by_role("link", name="It is the other way round").press("Enter")
    expect(page.get_by_text("B works, A does not")).to_be_visible()
    assert watched.complaints == []


def test_a_proposal_is_approved(watched: Watched, small_api: Asking) -> None:
    with writing(small_api.engine) as connection:
        fill(connection)
    watched.open("/baselines/shop")
    page = watched.page
    page.get_by_role("button", name="Approve version 3").press("Enter")
    expect(page.get_by_text("version 3 is the reference")).to_be_visible()
    page.get_by_role("button", name="Compare").press("Enter")
    expect(page.get_by_text("items the same")).to_be_visible()
    assert watched.complaints == []
