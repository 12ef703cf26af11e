"""Where two sides do not agree."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from more_itertools import unique_everseen


def differing(
    ours: Mapping[date, Decimal], theirs: Mapping[date, Decimal], tolerance: Decimal
) -> list[tuple[str, Decimal, Decimal]]:
    days = sorted(unique_everseen([*ours, *theirs]))
    pairs = [(day.isoformat(), ours.get(day, Decimal(0)), theirs.get(day, Decimal(0))) for day in days]
    return [(day, mine, booked) for day, mine, booked in pairs if abs(mine - booked) > tolerance]
