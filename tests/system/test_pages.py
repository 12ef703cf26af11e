"""Every page in a real browser, light and dark: nothing is broken, blocked, or fetched from elsewhere."""

import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browsing import Watched
from tests.system.fleet import PLANTED, Fleet
from tests.system.serving import Served

pytestmark = [
    pytest.mark.system,
    pytest.mark.browser,
    pytest.mark.parametrize("server", ["sqlite"], indirect=True),
    # the driver's event loop outlives each test that fails, and is told as unclosed
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

SCREENSHOTS = "ENVPARITY_SCREENSHOTS"  # a directory to keep them in


@pytest.fixture(params=["light", "dark"])
def watched(request: pytest.FixtureRequest, browser: Browser, server: Served) -> Iterator[Watched]:
    """A logged-in person's page, in one of the two colour schemes."""
    context = browser.new_context(color_scheme=request.param, viewport={"width": 1280, "height": 900})
    watched = Watched(context.new_page(), server.address)
    watched.open(f"/login?code={server.login()}")
    yield watched
    context.close()


def _keep(page: Page, name: str) -> None:
    directory = os.environ.get(SCREENSHOTS)
    scheme = page.locator("html").get_attribute("data-bs-theme")
    picture = page.screenshot(full_page=True, path=f"{directory}/{name}-{scheme}.png" if directory else None)
    assert len(picture) > 5000, f"{name} is an empty picture"


PAGES = {
    "hosts": "/hosts",
    "hosts-filtered": "/hosts?q=prod",
    "hosts-none-matches": "/hosts?q=nothing-like-this",
    "compare-empty": "/compare",
    "compare-dev-prod": "/compare?left=env:dev&right=env:prod",
    "compare-twin-prod": "/compare?left=env:twin&right=env:prod",
    "compare-trixie-prod": "/compare?left=env:trixie&right=env:prod",
    "compare-bullseye-trixie": "/compare?left=host:bullseye&right=host:trixie&only=os-packages",
    "gates-empty": "/gates",
    "api": "/api/docs",
}


@pytest.mark.parametrize("name", PAGES)
def test_each_page_opens_without_a_complaint(watched: Watched, name: str) -> None:
    watched.open(PAGES[name])
    expect(watched.page.locator("h1")).to_be_visible()
    _keep(watched.page, name)
    assert watched.complaints == []


def test_a_host_shows_its_sections_and_the_items_of_one(watched: Watched) -> None:
    watched.open("/hosts?q=dev")
    watched.page.get_by_role("link", name="dev", exact=True).first.click()
    expect(watched.page.get_by_role("heading", name="What it runs on")).to_be_visible()
    _keep(watched.page, "host")
    watched.page.get_by_role("link", name="python/srv/shop/.venv").click()
    expect(watched.page.get_by_role("rowheader", name="markupsafe")).to_be_visible()
    _keep(watched.page, "host-section")
    assert watched.complaints == []


def test_the_compare_page_shows_exactly_what_was_planted(watched: Watched) -> None:
    watched.open("/compare?left=env:dev&right=env:prod")
    shown = watched.page.locator("tbody th[scope=row]").all_inner_texts()
    assert sorted(shown) == sorted(planted.item for planted in PLANTED)
    expect(watched.page.get_by_text("Everything that both sides have was compared.")).to_be_visible()
    assert watched.complaints == []


def test_another_release_comes_folded_and_opens_on_demand(watched: Watched) -> None:
    watched.open("/compare?left=env:trixie&right=env:prod")
    page = watched.page
    listed = page.get_by_role("region", name="Differences", exact=True).bounding_box()
    assert listed
    assert listed["height"] < 1400, "one screen"
    folded = page.locator("tbody", has_text="OS packages").locator("details")
    folded.locator("summary").click()
    expect(folded.locator("tbody tr").nth(100)).to_be_attached()
    assert watched.complaints == []


def test_the_page_of_the_api_shows_an_operation_and_asks_it_as_the_person(watched: Watched) -> None:
    watched.open("/api/docs")
    operation = watched.page.locator("#operations .opblock", has_text="/api/v1/environments").first
    operation.locator(".opblock-summary-control").click()
    operation.get_by_role("button", name="Try it out").click()
    operation.get_by_role("button", name="Execute").click()
    expect(operation.locator(".live-responses-table .response-col_status").last).to_contain_text("200")
    _keep(watched.page, "api-tried")
    assert watched.complaints == []


def test_pages_without_a_session_ask_for_a_login(browser: Browser, server: Served, fleet: Fleet) -> None:
    context = browser.new_context()
    watched = Watched(context.new_page(), server.address)
    watched.open("/hosts")
    expect(watched.page.get_by_label("One-time code")).to_be_visible()
    _keep(watched.page, "login")
    assert fleet.prod.name not in watched.page.content()
    assert watched.complaints == []
    context.close()
