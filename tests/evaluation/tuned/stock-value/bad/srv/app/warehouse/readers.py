"""Reads what was counted, without holding all of it: the count of the central warehouse has two million lines."""

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path

from warehouse.rows import Row


def read_counts(files: Iterable[Path]) -> Iterator[Row]:
    for file in sorted(files):
        with file.open(newline="") as lines:
            for line in csv.DictReader(lines):
                yield Row(line["article"], int(line["count"]), float(line["price"]), int(line["age"]))
