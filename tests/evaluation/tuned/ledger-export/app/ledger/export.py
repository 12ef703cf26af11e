"""Writes bookings as lines of text."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from slugify import slugify

from ledger.store import Booking


@dataclass(frozen=True)
class Form:
    delimiter: str
    decimal_mark: str
    line_end: str
    header: bool


def export(bookings: Iterable[Booking], accounts: Mapping[str, int], form: Form) -> str:
    lines = [("day", "account", "amount", "text")] if form.header else []
    for one in bookings:
        amount = f"{one.amount:.2f}".replace(".", form.decimal_mark)
        lines.append((f"{one.day:%d%m%Y}", str(accounts[one.kind]), amount, slugify(one.text, separator=" ")))
    return form.line_end.join([*map(form.delimiter.join, lines), ""])
