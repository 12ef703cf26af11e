"""The gateways of a plant, as the inventory has them."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Gateway:
    name: str
    model: str
    firmware: str


def gateways(inventory: Path) -> Iterator[Gateway]:
    with inventory.open(newline="") as lines:
        for row in csv.DictReader(lines):
            yield Gateway(row["name"], row["model"], row["firmware"])
