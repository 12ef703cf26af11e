"""Looks for links between pages."""

from collections.abc import Iterator, Sequence

from bs4 import BeautifulSoup
from helpsite.pages import Page


def dangling(pages: Sequence[Page]) -> list[tuple[str, str]]:
    known = {page.slug for page in pages}
    return [(page.slug, target) for page in pages for target in _targets(page) if target not in known]


def _targets(page: Page) -> Iterator[str]:
    for anchor in BeautifulSoup(page.html, "html.parser").find_all("a", href=True):
        target = anchor["href"].partition("#")[0]
        if target and ":" not in target:
            yield target.strip("/")
