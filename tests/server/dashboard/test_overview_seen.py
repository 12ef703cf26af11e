"""The page Overview in a real browser, light and dark, with nothing and with a fleet: nothing is broken."""

from datetime import UTC, datetime

import pytest
from playwright.sync_api import expect

from envparity_server.storage.database import writing
from tests.browsing import Watched
from tests.server.asking import Asking
from tests.server.dashboard.drifting import drifting, silent, upgraded
from tests.server.gating.running import kept

pytestmark = [
    pytest.mark.browser,
    # the driver's event loop outlives each test that fails, and is told as unclosed
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def fill(asking: Asking) -> None:
    """Three environments with everything that the page tells."""
    now = datetime.now(UTC)
    with writing(asking.engine) as connection:
        for environment in ("dev", "test", "prod-with-a-name-as-long-as-some-people-give-to-one"):
            drifting(connection, environment)
        upgraded(connection, tuple(f"{'long-' * 12}{number}" for number in range(2)), now, "test")
        silent(connection, f"{'silent-' * 10}1", "dev")
        kept(connection, environments=("dev",), at=now)


def test_the_page_can_be_used_by_everybody_without_a_host_and_with_a_fleet(watched: Watched, small_api: Asking) -> None:
    watched.check("/")
    fill(small_api)
    watched.check("/")


def test_pairs_are_compared_by_themselves_and_the_chart_follows_the_theme(watched: Watched, small_api: Asking) -> None:
    fill(small_api)
    watched.open("/")
    page = watched.page
    pairs = page.get_by_role("table", name="Pairs of environments")
    expect(pairs.get_by_text("nothing differs")).to_have_count(2)
    chart = page.locator("figure canvas")
    drawn = []
    for theme in ("light", "dark"):
        page.get_by_role("button", name="Theme").click()
        expect(page.locator("html")).to_have_attribute("data-bs-theme", theme)
        expect(chart).to_have_count(1)
        drawn.append(chart.evaluate("canvas => canvas.toDataURL()"))
    assert drawn[0] != drawn[1]
    assert watched.complaints == []
