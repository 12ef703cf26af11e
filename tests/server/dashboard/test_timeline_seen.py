"""The pages Timeline and Search in a real browser, light and dark: nothing is broken or in the way."""

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from envparity_server.storage import deploys
from envparity_server.storage.database import writing
from tests.browsing import Watched
from tests.server.asking import Asking
from tests.server.dashboard.drifting import OTHER, upgraded
from tests.server.dashboard.test_search import fill as fill_search
from tests.server.fleet import report
from tests.server.making import host, packages

pytestmark = [
    pytest.mark.browser,
    # the driver's event loop outlives each test that fails, and is told as unclosed
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

DAY = timedelta(days=1)
LAST = datetime.now(UTC).replace(hour=12) - 2 * DAY


def fill(asking: Asking) -> None:
    """Changes on four days, of one of them more than are shown at once, with names as long as they come."""
    many = packages({f"package-{number:03}-{'x' * 60}": "1" for number in range(120)}, "python/srv/another")
    with writing(asking.engine) as connection:
        for days in range(4):
            names = tuple(f"{'long-' * (6 * days)}host-{days}-{number}" for number in range(4))
            one, *_ = upgraded(connection, names, LAST - days * DAY)
        report(connection, one, host(*OTHER.sections.values(), many), LAST + timedelta(minutes=9))
        deploys.begin(connection, "env:prod,role=web", "prod", "shop " + "2.4" * 40, "", "token:ci", LAST)


def test_a_timeline_can_be_used_by_everybody_without_a_change_and_with_many(
    watched: Watched, small_api: Asking
) -> None:
    watched.check("/timeline")
    fill(small_api)
    for path in ("/timeline", f"/timeline?day={LAST.date()}"):
        watched.check(path)


def test_a_person_filters_and_opens_all_hosts_of_a_change(watched: Watched, small_api: Asking) -> None:
    fill(small_api)
    watched.open("/timeline")
    page = watched.page
    expect(page.locator("figure canvas")).to_have_count(1)
    page.get_by_label("Package or item").fill("idna")
    page.get_by_role("button", name="Filter").click()
    page.get_by_role("link", name="4 hosts").first.click()
    expect(page.get_by_role("link", name="host-0-3")).to_be_visible()
    assert watched.complaints == []


def test_a_search_can_be_used_by_everybody_found_or_not(watched: Watched, small_api: Asking) -> None:
    fill_search(small_api, name="shop-" + "x" * 120)
    for path in ("/search?q=shop", "/search?q=nothing"):
        watched.check(path)
