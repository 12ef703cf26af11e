"""The fixtures of tests that look at pages in a real browser, light and dark."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from envparity_server.storage import access
from envparity_server.storage.database import writing
from tests.browsing import Watched, launched
from tests.server.asking import Asking
from tests.server.cli.served import served


@pytest.fixture(scope="module")
def browser(chromium: Path) -> Iterator[Browser]:
    """Debian's Chromium; its driver keeps an event loop, so that no longer than a module."""
    with launched(chromium) as browser:
        yield browser


@pytest.fixture(params=["light", "dark"])
def scheme(request: pytest.FixtureRequest) -> str:
    """A colour scheme."""
    return str(request.param)


@pytest.fixture
def watched(scheme: str, browser: Browser, small_api: Asking) -> Iterator[Watched]:
    """A logged-in administrator's page, on a server that has nothing yet."""
    with served(small_api) as address:
        context = browser.new_context(color_scheme=scheme, viewport={"width": 1280, "height": 900})  # type: ignore[arg-type]  # one of two
        watched = Watched(context.new_page(), address)
        with writing(small_api.engine) as connection:
            code = access.make_login(connection, datetime.now(UTC))
        watched.open(f"/login?code={code}")
        yield watched
        context.close()
