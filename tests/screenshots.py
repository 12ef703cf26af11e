"""Pictures of every page, light and dark, wide and narrow, of servers with no, few and many hosts.

    python -m tests.screenshots DIRECTORY [HOSTS ...]

The hosts are simulated ones of `tests/performance/fleet`; by default 0, 3 and 1,000 of them.
"""

import sys
from collections.abc import Mapping
from pathlib import Path

from playwright.sync_api import Browser

from envparity_server.app import create_app
from envparity_server.storage.database import migrate, open_database
from tests.browsing import NARROW, WIDE, Scheme, launched, watched_as
from tests.pages import addresses, furnish
from tests.performance.fleet.loading import load
from tests.server.asking import Asking
from tests.server.cli.served import served
from tests.system.components import CHROMIUM, require
from tests.system.workspaces import workspace

COUNTS = (0, 3, 1000)
CHANGES = 300  # reports with something new
LOOKS: tuple[tuple[Scheme, int], ...] = (("light", WIDE), ("dark", WIDE), ("light", NARROW))


def main(directory: Path, counts: list[int]) -> None:
    """Write HOSTS/NAME-SCHEME-WIDTH.png, and tell what a page complained of."""
    with workspace("screenshots") as home:
        for count in counts:
            engine = open_database(f"sqlite:///{home / f'{count}.db'}")
            migrate(engine)
            asking = Asking(create_app(engine), engine).logged_in()
            if count:
                for _ in load(engine, str(count), count, CHANGES):
                    pass
                furnish(asking, engine)
            pages = addresses(asking)
            with served(asking) as address, launched(require(CHROMIUM)) as browser:
                _take(browser, address, asking.headers["Cookie"], pages, directory / str(count))
            engine.dispose()


def _take(browser: Browser, address: str, cookie: str, pages: Mapping[str, str], directory: Path) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    for scheme, width in LOOKS:
        with watched_as(browser, address, cookie, scheme, width) as watched:
            for page, path in pages.items():
                watched.open(path)
                watched.page.screenshot(full_page=True, path=directory / f"{page}-{scheme}-{width}.png")
            print(f"{directory}: {scheme}, {width} wide: {watched.complaints or 'no complaint'}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), [int(one) for one in sys.argv[2:]] or list(COUNTS))
