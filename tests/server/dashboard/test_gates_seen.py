"""The pages of gates in a real browser, light and dark, with no run and with many: nothing is broken or in the way."""

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect
from sqlalchemy import Connection

from envparity_server.gating.model import Report, Standing, Verdict
from envparity_server.storage.database import writing
from envparity_server.storage.gate_runs import Key, Origin
from tests.browsing import Watched
from tests.server.asking import Asking
from tests.server.dashboard.test_gates import WHOLE
from tests.server.gating.running import finding, kept, report

pytestmark = [
    pytest.mark.browser,
    # the driver's event loop outlives each test that fails, and is told as unclosed
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

SEVERITIES = ("critical", "high", "medium", "low", "info")
LARGE = report(
    findings=[
        *(finding(f"package-{number:03}", severity=SEVERITIES[number % 5]) for number in range(250)),
        *(finding(f"{name}-{'x' * 80}", Standing.DECLARED, why="uv.lock") for name in ("a", "b")),
    ],
    summary=", ".join(f"package-{number:03} 3.0.15 → 3.0.11" for number in range(20)),
)
REPORTS = (WHOLE, report(Verdict.PARITY), report(Verdict.UNKNOWN, reasons=("web-3 is stale",)), LARGE)


def fill(connection: Connection, reports: tuple[Report, ...], times: int = 1) -> None:
    """Runs of these reports, one after the other, with names as long as they come."""
    key = Key("acme/checkout-service-with-a-long-name", "env:prod,role=web", "only=python,os-packages", "image x")
    origin = Origin(key.repository, "refs/pull/1234/merge", "9fceb02d0ae598e95dc970b74767f19372d61af8")
    for number in range(times):
        for one in reports:
            kept(connection, one, key, origin, at=datetime.now(UTC) - timedelta(hours=times - number))


def test_the_list_without_a_run_can_be_used_by_everybody(watched: Watched) -> None:
    watched.check("/gates")


def test_the_list_and_every_kind_of_run_can_be_used_by_everybody(watched: Watched, small_api: Asking) -> None:
    with writing(small_api.engine) as connection:
        fill(connection, REPORTS, 13)  # more than one page
    for path in ("/gates", "/gates?repository=nothing", *(f"/gates/{number}" for number in (1, 2, 3, 4))):
        watched.check(path)


def test_a_person_filters_opens_a_run_and_accepts_it(watched: Watched, small_api: Asking) -> None:
    with writing(small_api.engine) as connection:
        fill(connection, REPORTS)
    watched.open("/gates")
    page = watched.page
    page.get_by_label("Verdict").select_option("drift")
    page.get_by_role("button", name="Filter").click()
    expect(page.locator("tbody tr")).to_have_count(2)
    page.get_by_role("link", name="1", exact=True).click()
    page.get_by_label("Reason").fill("the new base image is meant")
    page.get_by_role("button", name="Accept").click()
    expect(page.get_by_text("drift, accepted")).to_be_visible()
    assert watched.complaints == []
