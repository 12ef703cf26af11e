"""What the bank booked, one line a day."""

import csv
from datetime import date
from decimal import Decimal
from pathlib import Path

from dateutil.parser import parse


def read_statement(file: Path, encoding: str) -> dict[date, Decimal]:
    with file.open(newline="", encoding=encoding) as lines:
        return {parse(row["booked"]).date(): Decimal(row["total"]) for row in csv.DictReader(lines, delimiter=";")}
