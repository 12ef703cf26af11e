"""Reads the reports of a carrier."""

import csv
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import attrs
from dateutil.parser import parse


def _day(text: str) -> date:
    return parse(text).date()


@attrs.frozen
class Trip:
    number: str
    depot: str
    left: date = attrs.field(converter=_day)
    arrived: date = attrs.field(converter=_day)


def read(file: Path) -> Iterator[Trip]:
    with file.open(newline="") as lines:
        for row in csv.DictReader(lines):
            yield Trip(row["Tracking"], row["Depot"], row["Shipped"], row["Delivered"])
