"""Reads what was counted."""

import csv
from collections.abc import Iterable
from pathlib import Path

from warehouse.rows import Row


def read_counts(files: Iterable[Path]) -> list[Row]:
    rows = []
    for file in sorted(files):
        with file.open(newline="") as lines:
            for line in csv.DictReader(lines):
                rows.append(Row(line["article"], int(line["count"]), float(line["price"]), int(line["age"])))
    return rows
