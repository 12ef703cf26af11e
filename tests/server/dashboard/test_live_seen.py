"""The first run, adding hosts, Admin, Account and what is live, in a real browser, light and dark."""

import re
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from playwright.sync_api import expect

from envparity_server.demo.loading import load
from envparity_server.storage import access, audit, channels, people
from envparity_server.storage.actors import Actor, Role
from envparity_server.storage.channels import Channel
from envparity_server.storage.database import writing
from tests.browsing import Watched
from tests.server.asking import CREDENTIAL, HOST_ID, Asking
from tests.server.fleet import reported
from tests.server.making import OPERATING_SYSTEM, SEARCHED, host

pytestmark = [
    pytest.mark.browser,
    # the driver's event loop outlives each test that fails, and is told as unclosed
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

LOCAL = Actor("local:tests", Role.ADMIN)
PASSWORD = "correct horse battery staple"  # noqa: S105  # nobody's
PLAIN = host(OPERATING_SYSTEM, SEARCHED)
PAGES = (
    "/setup", "/hosts/add", "/account", "/admin", "/admin/people", "/admin/tokens", "/admin/sessions",
    "/admin/channels", "/admin/audit",
)  # fmt: skip


def fill(asking: Asking) -> None:
    """Something of everything, with the demo fleet."""
    now = datetime.now(UTC)
    with writing(asking.engine) as connection:
        load(connection, LOCAL, now)
        for name in ("ada", "grace.hopper-with-a-long-name@example.org"):
            people.add(connection, LOCAL, name, Role.OPERATOR, frozenset({"demo-dev", "demo-test"}), None, now)
        access.make_access_token(connection, "ci", "x" * 64, timedelta(days=9), now, "person:ada", frozenset({"dev"}))
        access.make_enrolment_token(connection, "prod", 3, timedelta(days=9), now, "person:ada")
        channels.add(connection, Channel("ops", "webhook", "https://x.invalid", "", "env:prod", 2, True, "x", now))
        audit.write(connection, LOCAL, "rule.add", "r" * 16, now, "prod", reason="meant " * 40)


def test_the_pages_can_be_used_by_everybody_with_nothing_and_with_much(watched: Watched, small_api: Asking) -> None:
    for path in PAGES:
        watched.check(path)
    fill(small_api)
    for path in PAGES:
        watched.check(path)


def test_the_first_person_makes_an_administrator_and_adds_a_host_that_appears_by_itself(
    watched: Watched, small_api: Asking
) -> None:
    page = watched.page
    with writing(small_api.engine) as connection:
        code = access.make_login(connection, datetime.now(UTC))
    watched.open(f"/login?code={code}")
    expect(page).to_have_url(f"{watched.address}/setup")
    page.get_by_label("Name").fill("ada")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("The same again").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Add a host").click()
    page.get_by_label("Environment").fill("prod")
    page.get_by_role("button", name="Make the token").click()
    (token,) = re.findall(r"epe_[\w-]+", page.get_by_label("Commands").inner_text())
    expect(page.get_by_text("waiting for the first one")).to_be_visible()
    enrolment = {"name": "web-1", "environment": "prod", "labels": {}, "credential": CREDENTIAL}
    answer = httpx.put(
        f"{watched.address}/api/v1/hosts/{HOST_ID}", json=enrolment, headers={"Authorization": f"Bearer {token}"}
    )
    assert answer.status_code == 200
    expect(page.get_by_role("link", name="web-1", exact=True)).to_be_visible()
    assert watched.complaints == []


def test_what_is_live_is_offered_to_who_is_in_it_and_shown_to_who_is_not(watched: Watched, small_api: Asking) -> None:
    def add(name: str) -> None:
        with writing(small_api.engine) as connection:
            reported(connection, name, PLAIN, datetime.now(UTC))

    add("web-1")
    watched.open("/hosts")
    page = watched.page
    page.get_by_role("link", name="web-1", exact=True).focus()
    add("web-2")
    page.get_by_role("button", name="New: show").click()
    expect(page.get_by_role("link", name="web-2", exact=True)).to_be_visible()
    expect(page.get_by_role("button", name="New: show")).to_have_count(0)
    add("web-3")
    expect(page.get_by_role("link", name="web-3", exact=True)).to_be_visible(timeout=20_000)
    assert watched.complaints == []


def test_a_list_is_read_by_keyboard(watched: Watched, small_api: Asking) -> None:
    with writing(small_api.engine) as connection:
        load(connection, LOCAL, datetime.now(UTC))
    watched.open("/hosts")
    page, rows = watched.page, watched.page.locator("tbody th a")
    page.keyboard.press("/")
    expect(page.locator("#search")).to_be_focused()
    page.keyboard.type("j/?")
    expect(page.locator("#search")).to_have_value("j/?")
    page.keyboard.press("Escape")
    for key, row in (("j", 0), ("ArrowDown", 1), ("k", 0), ("ArrowUp", 0), ("End", 9), ("j", 9), ("Home", 0)):
        page.keyboard.press(key)
        expect(rows.nth(row)).to_be_focused()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard")).to_be_visible()
    assert watched.barriers() == []
    page.get_by_label("in this browser").uncheck()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_have_count(0)
    third = rows.nth(2).inner_text()
    rows.nth(2).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=third, level=1)).to_be_visible()
    assert watched.complaints == []
