"""What a person waits for: each page of 1,000 hosts with 30 days of history, on the server and on the screen."""

import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from playwright.sync_api import Browser

from envparity_server.app import create_app
from envparity_server.serving import collect_seldom
from envparity_server.storage.database import migrate, open_database
from tests.browsing import launched, watched_as
from tests.pages import addresses, furnish
from tests.performance.fleet.loading import load
from tests.performance.measuring import Figure
from tests.server.asking import Asking
from tests.server.cli.served import served
from tests.system.components import CHROMIUM, require

ROUNDS = 5
SERVER_AIM, SCREEN_AIM = 300.0, 1000.0  # milliseconds
# https://developer.mozilla.org/en-US/docs/Web/API/PerformancePaintTiming: since the page was asked for
_PAINTED = "performance.getEntriesByName('first-contentful-paint')[0].startTime"


def dashboard(home: Path) -> Iterator[Figure]:
    """The median of each page: from request to answer without a network, and until it is painted."""
    home.mkdir(parents=True)
    collect_seldom()  # as the server's process does
    engine = open_database(f"sqlite:///{home / 'server.db'}")
    migrate(engine)
    yield from load(engine, "SQLite")
    asking = Asking(create_app(engine), engine).logged_in()
    furnish(asking, engine)
    pages = addresses(asking)
    for name, path in pages.items():
        yield Figure(f"{name}, on the server", _answered(asking, path), "ms", aim=SERVER_AIM)
    with served(asking) as address, launched(require(CHROMIUM)) as browser:
        for name, path in pages.items():
            yield Figure(
                f"{name}, painted", _painted(browser, address, asking.headers["Cookie"], path), "ms", aim=SCREEN_AIM
            )
    engine.dispose()


def _answered(asking: Asking, path: str) -> float:
    def once() -> float:
        started = time.perf_counter()
        answer = asking.get(path)
        assert answer.status_code < 400, f"{path}: {answer.status_code} {answer.text[:500]}"
        return (time.perf_counter() - started) * 1000

    return median([once() for _ in range(ROUNDS + 1)][1:])


def _painted(browser: Browser, address: str, cookie: str, path: str) -> float:
    taken = []
    with watched_as(browser, address, cookie) as watched:
        for _ in range(ROUNDS):
            watched.open(path)
            taken.append(float(watched.page.evaluate(_PAINTED)))
    return median(taken)
