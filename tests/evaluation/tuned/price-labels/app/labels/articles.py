"""What is sold, with its price."""

import csv
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import attrs


@attrs.frozen
class Article:
    ean: str
    name: str
    price: Decimal = attrs.field(converter=Decimal)
    grams: int = attrs.field(converter=int)


def read(file: Path) -> Iterator[Article]:
    with file.open(newline="") as lines:
        yield from (Article(**row) for row in csv.DictReader(lines))
