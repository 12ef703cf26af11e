"""Looks through the pages of a catalogue for prices."""

import os
import re

from pool import run_all
from yarl import URL

BASE = URL("https://catalogue.example/items")
PRICE = re.compile(r"<b class=price>([0-9.]+)</b>")
PAGES = {"1": "<b class=price>4.50</b>", "2": "<b class=price>12.00</b><b class=price>3.10</b>", "3": "<i>sold out</i>"}


def fetch(page):
    url = BASE.with_query(page=page)
    return url.query["page"], PAGES[url.query["page"]]


def prices(page):
    number, text = fetch(page)
    return number, [float(price) for price in PRICE.findall(text)]


def main():
    size = int(os.environ["CRAWLER_POOL"])
    found = dict(run_all(size, prices, sorted(PAGES)))
    assert sum(len(one) for one in found.values()) == 3, found
    print(found)


if __name__ == "__main__":
    main()
