"""Drives Chromium, and watches a page for everything that must not happen."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, Response, sync_playwright

FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip


Scheme = Literal["light", "dark"]
WIDE, NARROW, HEIGHT = 1280, 390, 900


# what follows the size of the window has followed it
_PAINTED_TWICE = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"


@contextmanager
def launched(chromium: Path) -> Iterator[Browser]:
    """A browser, until the block ends."""
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser
        browser.close()


@contextmanager
def watched_as(
    browser: Browser, address: str, cookie: str, scheme: Scheme = "light", width: int = WIDE
) -> Iterator["Watched"]:
    """The page of whoever has a cookie, `name=value`, until the block ends."""
    context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": HEIGHT})
    name, _, value = cookie.partition("=")
    context.add_cookies([{"name": name, "value": value, "url": address}])
    yield Watched(context.new_page(), address)
    context.close()


class Watched:
    """A page that is watched for everything that must not happen."""

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        self.address = address
        self.complaints: list[str] = []
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.complaints.append(f"script: {error}"))
        page.on("request", self._request)
        page.on("response", self._response)

    def open(self, path: str) -> None:
        """Go to a page of the server and wait until it is quiet."""
        self.page.goto(self.address + path)
        self.page.wait_for_load_state("networkidle")

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):  # a violation of the CSP is an error here
            self.complaints.append(f"console: {message.text}")

    def _request(self, request: Request) -> None:
        if not request.url.startswith((self.address, "data:")):
            self.complaints.append(f"off the host: {request.url}")

    def _response(self, response: Response) -> None:
        if response.status >= 400:
            self.complaints.append(f"{response.status}: {response.url}")

    def barriers(self) -> list[str]:
        """What axe finds on the page that keeps somebody out: https://github.com/dequelabs/axe-core."""
        found = Axe().run(self.page).response["violations"]
        return [f"{one['id']}: {node['html'][:200]}" for one in found for node in one["nodes"]]

    def check(self, path: str) -> None:
        """Nobody is kept out of a page, nothing is blocked, and, wide or narrow, nothing sticks out at the side."""
        self.page.set_viewport_size({"width": WIDE, "height": HEIGHT})
        self.open(path)
        for folded in self.page.locator("details > summary").all():
            folded.click()
        assert (path, self.barriers(), self.complaints) == (path, [], [])
        for width in (WIDE, NARROW):
            self.page.set_viewport_size({"width": width, "height": HEIGHT})
            self.page.evaluate(_PAINTED_TWICE)
            room = self.page.evaluate("document.documentElement.clientWidth - document.documentElement.scrollWidth")
            assert (path, width, room) == (path, width, 0)
