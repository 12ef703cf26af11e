"""Reads what the payment provider left in the feed directory: one event a line."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path


class FeedError(Exception):
    """A line of the feed is not as agreed."""


@dataclass(frozen=True)
class Payment:
    reference: str
    amount: Decimal
    currency: str
    at: datetime


def parse(line: str) -> Payment:
    event = json.loads(line)
    return Payment(
        reference=event["ref"],
        amount=Decimal(event["amount"]),
        currency=event.get("currency", "EUR"),
        at=datetime.fromisoformat(event["at"]),
    )


def read(directory: Path) -> Iterator[Payment]:
    for file in sorted(directory.glob("*.jsonl")):
        for number, line in enumerate(file.read_text().splitlines(), start=1):
            try:
                yield parse(line)
            except (KeyError, ValueError) as problem:
                raise FeedError(f"{file.name}:{number} is damaged, ask the provider to send it again") from problem
