"""The pages of drifts in a real browser, light and dark, with none and with many: nothing is broken or in the way."""

from dataclasses import replace

import pytest
from playwright.sync_api import expect
from sqlalchemy import Connection

from envparity_server.drift.findings import Key
from envparity_server.drift.life import State
from envparity_server.storage import drifts
from envparity_server.storage.database import writing
from tests.browsing import Watched
from tests.server.asking import Asking
from tests.server.dashboard.test_drifts import drifted

pytestmark = [
    pytest.mark.browser,
    # the driver's event loop outlives each test that fails, and is told as unclosed
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def fill(connection: Connection) -> str:
    """A drift, and more than a page of others, in every state, with names as long as they come; the id of the first."""
    id = drifted(connection, idna="4.0")
    one = drifts.by_id(connection, id)
    assert one is not None
    (item,) = one.items
    long = f"python/srv/{'a-long-name/' * 9}.venv"
    items = [replace(item, key=Key(long, f"{'x' * 90}-{row}", "content"), subject=f"{row:04}") for row in range(5)]
    made = []
    for number in range(1, 60):
        state = list(State)[number % len(State)]
        words = f"{long}: {number} items on 5 of 40 hosts, since {'y' * 99}"
        other = replace(one, id=f"{number:016x}", state=state, words=words, items=tuple(items))
        if state == State.SNOOZED:
            other = replace(other, reason="r" * 90, decided_by="person:ada", until=one.last_seen)
        made.append(other)
    drifts.save(connection, {}, made)
    return id


def test_the_inbox_without_anything_can_be_used_by_everybody(watched: Watched) -> None:
    watched.check("/drifts")


def test_the_inbox_and_drifts_can_be_used_by_everybody(watched: Watched, small_api: Asking) -> None:
    with writing(small_api.engine) as connection:
        id = fill(connection)
    snoozed = f"{list(State).index(State.SNOOZED):016x}"
    for path in ("/drifts?state=all", "/drifts?q=nothing", f"/drifts/{id}", f"/drifts/{snoozed}"):
        watched.check(path)


def test_a_person_ticks_what_is_known_and_says_why(watched: Watched, small_api: Asking) -> None:
    with writing(small_api.engine) as connection:
        drifted(connection, idna="4.0")
        drifted(connection, "test", flask="3.0.1")
    watched.open("/drifts")
    page = watched.page
    page.get_by_label("Choose all on this page").focus()
    page.keyboard.press("Space")
    expect(page.get_by_text("Decide about the 2 that are ticked")).to_be_visible()
    page.get_by_label("Choose: python/srv/shop: flask").uncheck()
    expect(page.get_by_text("Decide about the 1 that is ticked")).to_be_visible()
    page.get_by_label("Why").fill("a hotfix")
    page.get_by_role("button", name="Acknowledge").press("Enter")
    expect(page.locator("tbody tr")).to_have_count(1)
    page.get_by_role("link", name="Acknowledged 1").click()
    page.get_by_role("link", name="idna 3.4 → 4.0").click()
    page.get_by_role("button", name="Reopen").click()
    expect(page.get_by_text("reopened by")).to_be_visible()
    assert watched.complaints == []
