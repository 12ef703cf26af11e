"""Who comes, as the registration exports it."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Guest:
    number: int
    name: str
    company: str
    speaks: bool


def guests(export: Path) -> Iterator[Guest]:
    with export.open(newline="", encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            yield Guest(int(row["number"]), row["name"], row["company"], row["role"] == "speaker")
