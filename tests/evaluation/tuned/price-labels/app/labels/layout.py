"""Draws labels onto a sheet."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import attrs
import barcode
from PIL import Image, ImageDraw

from labels.articles import Article
from labels.pricing import day, price


@attrs.frozen
class Label:
    title: str
    price: str
    per_kilogram: str
    printed: str
    code: str

    @classmethod
    def of(cls, article: Article, shop: Mapping[str, str], today: date) -> "Label":
        own, kilogram = price(article, shop["language"], shop["currency"])
        code = barcode.get("ean13", article.ean).build()[0]
        return cls(article.name, own, kilogram, day(today, shop["language"]), code)


def sheet(labels: Sequence[Label], size: Mapping[str, Any]) -> Image.Image:
    picture = Image.new("1", (size["width"], size["height"]), 1)
    pen = ImageDraw.Draw(picture)
    high = size["height"] // size["labels"]
    for row, label in enumerate(labels):
        for column, bar in enumerate(label.code):
            if bar == "1":
                pen.line([(10 + 2 * column, row * high + 4), (10 + 2 * column, row * high + high - 14)], fill=0)
        pen.text((10, row * high + high - 12), label.title.encode("ascii", "replace").decode(), fill=0)
    return picture
