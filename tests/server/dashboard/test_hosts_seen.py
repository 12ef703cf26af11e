"""The pages of hosts in a real browser, light and dark, with none and with many: nothing is broken or in the way."""

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect
from sqlalchemy import Connection

from envparity_agent.fingerprint import Fingerprint, Reason, Status
from envparity_server.storage.database import writing
from tests.browsing import Watched
from tests.server.asking import Asking
from tests.server.dashboard.test_drifts import drifted
from tests.server.fleet import enrolled, report, reported
from tests.server.making import OPERATING_SYSTEM, SEARCHED, host, packages, section

pytestmark = [
    pytest.mark.browser,
    # the driver's event loop outlives each test that fails, and is told as unclosed
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def running(version: str) -> Fingerprint:
    """A host of many sections, with names as long as they come, some of which could not be read."""
    blind = section("containers", {}, Status.FAILED, Reason.PERMISSION)
    long = packages({f"{'x' * 80}-{number}": version for number in range(12)}, f"python/srv/{'a-long-name/' * 9}.venv")
    many = [packages({"idna": version}, f"python/srv/shop-{number:02}") for number in range(30)]
    return host(OPERATING_SYSTEM, SEARCHED, blind, long, *many)


def fill(connection: Connection) -> str:
    """More than a page of hosts, of which one has everything that a host can have; its id."""
    now = datetime.now(UTC)
    for number in range(55):
        enrolled(connection, f"{'a-long-name-' * 5}{number}", "test", {"role": "web", "zone": f"z{number}"})
    drifted(connection, idna="4.0")
    before = reported(connection, "web-1", running("1"), now - timedelta(days=1), labels={"role": "web"})
    return report(connection, before, running("2"), now, identity={"machine_id": "m"}).id


def test_the_list_without_a_host_can_be_used_by_everybody(watched: Watched) -> None:
    watched.check("/hosts")


def test_the_list_and_hosts_can_be_used_by_everybody(watched: Watched, small_api: Asking) -> None:
    with writing(small_api.engine) as connection:
        id = fill(connection)
        coming = enrolled(connection, "coming").id
    opened = f"/hosts/{id}?section=python/srv/shop-01&filter=shop"
    for path in ("/hosts", "/hosts?state=retired", f"/hosts/{id}", opened, f"/hosts/{coming}"):
        watched.check(path)


def test_a_person_finds_what_drifts_filters_its_sections_and_retires_it(watched: Watched, small_api: Asking) -> None:
    with writing(small_api.engine) as connection:
        drifted(connection, idna="4.0")
    watched.open("/hosts")
    page = watched.page
    page.get_by_role("link", name="in drift 1").click()
    page.get_by_role("link", name="prod-0").click()
    page.get_by_label("Filter sections").last.fill("shop")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="python/srv/shop", exact=True).click()
    expect(page.get_by_role("table", name="Items of python/srv/shop")).to_contain_text("idna")
    page.get_by_label("is gone for good").check()
    page.get_by_role("button", name="Retire this host").click()
    expect(page.get_by_text("it may not report any more, and nothing is held against it")).to_be_visible()
    assert watched.complaints == []


def test_letters_lead_from_one_list_to_the_next_and_arrows_stay_in_one(watched: Watched, small_api: Asking) -> None:
    with writing(small_api.engine) as connection:
        for name in ("web-1", "web-2"):
            reported(connection, name, running("1"), datetime.now(UTC))
    watched.open("/hosts")
    page, offered = (
        watched.page,
        watched.page.get_by_role("region", name="What can be compared now").get_by_role("link"),
    )
    first, last = (page.get_by_role("link", name=name, exact=True) for name in ("web-1", "web-2"))
    for key, row in (
        ("j", first),
        ("End", last),
        ("ArrowDown", last),
        ("j", offered.first),
        ("Home", offered.first),
        ("k", last),
    ):
        page.keyboard.press(key)
        expect(row).to_be_focused()
    assert watched.complaints == []
