"""Which prices moved by more than a share."""

from collections.abc import Iterator, Mapping
from decimal import Decimal


def moved(last: Mapping[str, str], found: Mapping[str, Decimal], threshold: float) -> Iterator[tuple[str, str, str]]:
    for number, price in found.items():
        old = Decimal(last.get(number, price))
        if old and abs(price - old) / old > threshold:
            yield number, str(old), str(price)
