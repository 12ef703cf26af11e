"""The fixtures of tests that look at pages in a real browser, light and dark."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browsing import Scheme, Watched, launched, watched_as
from tests.server.asking import Asking
from tests.server.cli.served import served


@pytest.fixture(scope="module")
def browser(chromium: Path) -> Iterator[Browser]:
    """Debian's Chromium; its driver keeps an event loop, so that no longer than a module."""
    with launched(chromium) as browser:
        yield browser


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """How a page looks is checked in both schemes; what it does is the same in either."""
    if "scheme" in metafunc.fixturenames:
        looks = "used_by_everybody" in metafunc.function.__name__
        metafunc.parametrize("scheme", ["light", "dark"] if looks else ["light"], indirect=True)


@pytest.fixture
def scheme(request: pytest.FixtureRequest) -> Scheme:
    """A colour scheme."""
    chosen: Scheme = request.param
    return chosen


@pytest.fixture
def watched(scheme: Scheme, browser: Browser, small_api: Asking) -> Iterator[Watched]:
    """A logged-in administrator's page, on a server that has nothing yet."""
    cookie = small_api.logged_in().headers["Cookie"]
    with served(small_api) as address, watched_as(browser, address, cookie, scheme) as watched:
        yield watched
