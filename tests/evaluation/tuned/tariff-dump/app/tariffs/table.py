"""The planners' table."""

import csv
import io
from dataclasses import dataclass
from datetime import date
from decimal import Decimal


@dataclass(frozen=True)
class Tariff:
    zone: str
    since: date
    price: Decimal
    note: str = ""


def read(text: str) -> list[Tariff]:
    rows = csv.reader(io.StringIO(text))
    return [Tariff(zone, date.fromisoformat(since), Decimal(price), *note) for zone, since, price, *note in rows]


def overlapping(tariffs: list[Tariff]) -> list[str]:
    """Zones that have two tariffs from the same day on."""
    seen: set[tuple[str, date]] = set()
    twice = []
    for one in tariffs:
        if (one.zone, one.since) in seen:
            twice.append(one.zone)
        seen.add((one.zone, one.since))
    return twice
