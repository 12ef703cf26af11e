"""The pages Matrix, Packages and Images in a real browser, light and dark: empty, full, by keyboard and by clicks."""

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect
from sqlalchemy import Connection

from envparity_agent.fingerprint import Fingerprint, Reason, Section, Status
from envparity_server.storage import hosts
from envparity_server.storage.database import writing
from tests.browsing import Watched
from tests.server.asking import Asking
from tests.server.dashboard.test_images import JOB, NEW, OLD, WEB, runs
from tests.server.fleet import report, reported
from tests.server.making import SEARCHED, host, packages

pytestmark = [
    pytest.mark.browser,
    # the driver's event loop outlives each test that fails, and is told as unclosed
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

PATH = "python/srv/a-project-with-a-long-name/.venv"


def python(**changed: str) -> Fingerprint:
    """A host with 120 packages, some of them in another version."""
    usual = {f"package-{number:03}": "1.0" for number in range(120)}
    return host(
        SEARCHED, packages({**usual, **{name.replace("_", "-"): version for name, version in changed.items()}}, PATH)
    )


def fill(connection: Connection) -> None:
    """Environments that differ, a host that could not be read, one that is stale, and images of two tags."""
    now = datetime.now(UTC)
    for number in range(6):
        reported(connection, f"prod-{number}", python(), now)
        reported(connection, f"dev-{number}", python(package_007="2.0", package_011=f"3.{number}"), now, "dev")
    blind = Section(PATH, "python", 1, {}, Status.FAILED, (Reason.PERMISSION,))
    reported(connection, "blind", host(SEARCHED, blind), now, "test")
    reported(connection, "late", python(), now - timedelta(days=2))
    changed = reported(connection, "changed", python(package_007="0.9"), now - timedelta(days=1), "test")
    report(connection, changed, python(), now)


def fill_images(connection: Connection) -> None:
    """A tag with two images, and a container that was patched."""
    now = datetime.now(UTC)
    for number in range(6):
        reported(connection, f"web-{number}", runs(WEB, manifest=NEW if number else OLD), now, "images")
    patched = runs(JOB, {"layer:/etc/shop.conf": {"change": "modified"}}, manifest=NEW)
    reported(connection, "job", patched, now, "images")


def test_the_pages_of_an_empty_server_can_be_used_by_everybody(watched: Watched) -> None:
    for path in ("/matrix", "/matrix/all", "/packages", "/packages/item?section=python&item=idna", "/images"):
        watched.check(path)


def test_the_full_pages_can_be_used_by_everybody(watched: Watched, small_api: Asking) -> None:
    with writing(small_api.engine) as connection:
        fill(connection)
        fill_images(connection)
    for path in (
        "/matrix?everything=true", "/matrix?of=env:dev", "/matrix?q=nothing", "/matrix/all",
        "/packages", "/packages/item?section=python&item=package-011", "/images",
    ):  # fmt: skip
        watched.check(path)


def test_a_person_goes_from_the_picture_to_who_deviates_by_keyboard(watched: Watched, small_api: Asking) -> None:
    with writing(small_api.engine) as connection:
        fill(connection)
        (other,) = hosts.named(connection, "dev-1")
    watched.open("/matrix/all?kind=python")
    page = watched.page
    page.locator("#cells").focus()
    expect(page.locator("#told")).to_contain_text(f"package-007 in {PATH} on dev-0 (dev): 2.0, differs.")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#told")).to_contain_text("package-011 in ")
    expect(page.locator("#told")).to_contain_text("on dev-1 (dev): 3.1, differs.")
    page.keyboard.press("Enter")
    expect(page.get_by_label("A, on the left", exact=True)).to_have_value("env:dev")
    expect(page.get_by_label("B, on the right", exact=True)).to_have_value(f"host:{other.id}")
    assert watched.complaints == []


def test_a_person_filters_the_matrix_and_opens_what_differs(watched: Watched, small_api: Asking) -> None:
    with writing(small_api.engine) as connection:
        fill(connection)
    watched.open("/matrix")
    page = watched.page
    page.get_by_label("Name or section has").fill("package-007")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    page.get_by_role("link", name="package-007").click()
    expect(page.get_by_role("heading", name="package-007")).to_be_visible()
    page.get_by_role("link", name="6: 2.0 in dev").click()
    expect(page.get_by_role("row", name="dev-5")).to_be_visible()
