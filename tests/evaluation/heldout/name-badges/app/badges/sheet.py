"""Sheets of ten badges, as the printer takes them."""

from collections.abc import Iterator
from itertools import islice

from PIL import Image

COLUMNS, ROWS = 2, 5


def sheets(badges: list[Image.Image]) -> Iterator[Image.Image]:
    waiting = iter(badges)
    while some := list(islice(waiting, COLUMNS * ROWS)):
        width, height = some[0].size
        sheet = Image.new("RGB", (width * COLUMNS, height * ROWS), "white")
        for place, badge in enumerate(some):
            sheet.paste(badge, (place % COLUMNS * width, place // COLUMNS * height))
        yield sheet
