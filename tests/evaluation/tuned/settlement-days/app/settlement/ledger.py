"""The payments that the shop took in."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import attrs
import orjson


@attrs.frozen
class Payment:
    number: str
    taken: datetime
    amount: Decimal


def read_payments(file: Path) -> Iterator[Payment]:
    for line in file.read_bytes().splitlines():
        entry = orjson.loads(line)
        yield Payment(entry["id"], datetime.fromtimestamp(entry["at"]), Decimal(entry["amount"]))


def by_day(payments: Iterable[Payment]) -> dict[date, Decimal]:
    sums: dict[date, Decimal] = defaultdict(Decimal)
    for payment in payments:
        sums[payment.taken.date()] += payment.amount
    return dict(sums)
