"""Books the payments of the last day and prints the sums by hour."""

import itertools
import logging
import os
from datetime import timezone
from decimal import Decimal
from pathlib import Path

from feed import Payment, read
from more_itertools import chunked
from tabulate import tabulate

log = logging.getLogger("payments")


def by_hour(payments: list[Payment]) -> list[tuple[str, int, Decimal]]:
    def hour(payment: Payment) -> str:
        return payment.at.astimezone(timezone.utc).strftime("%Y-%m-%d %H:00")

    rows = []
    for name, group in itertools.groupby(sorted(payments, key=hour), key=hour):
        amounts = [one.amount for one in group]
        rows.append((name, len(amounts), sum(amounts, Decimal())))
    return rows


def main() -> None:
    logging.basicConfig(level=os.environ.get("LOG_LEVEL", "INFO"))
    directory = Path(os.environ.get("ROOT", "") + os.environ["FEED_DIRECTORY"])
    booked: list[Payment] = []
    for batch in chunked(read(directory), int(os.environ["FEED_BATCH"])):
        booked += batch
        log.info("booked %d", len(booked))
    assert booked, "nothing to book"
    print(tabulate(by_hour(booked), headers=["hour", "payments", "sum"]))


if __name__ == "__main__":
    main()
