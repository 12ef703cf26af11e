"""Reads statements of the bank: semicolons, German numbers."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal


@dataclass(frozen=True)
class Booking:
    day: date
    account: str
    amount: Decimal
    purpose: str


def number(text: str) -> Decimal:
    return Decimal(text.replace(".", "").replace(",", "."))


def bookings(statement: str) -> Iterator[Booking]:
    for row in csv.DictReader(io.StringIO(statement), delimiter=";"):
        day = datetime.strptime(row["Datum"], "%d.%m.%Y").date()
        yield Booking(day, row["Konto"], number(row["Betrag"]), row["Zweck"].strip())
