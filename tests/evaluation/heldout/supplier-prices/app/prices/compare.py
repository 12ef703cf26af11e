"""Our prices beside those of the supplier."""

import csv
from collections.abc import Iterator
from pathlib import Path

from prices.suppliers import Offer

OURS = Path(__file__).with_name("ours.csv")


def below(offers: list[Offer], margin: float) -> Iterator[str]:
    with OURS.open(newline="") as lines:
        ours = {row["article"]: float(row["price"]) for row in csv.DictReader(lines)}
    for offer in offers:
        least = offer.each * (1 + margin)
        if offer.article in ours and ours[offer.article] < least:
            yield f"{offer.article}: {ours[offer.article]:.2f} should be {least:.2f} at least"
