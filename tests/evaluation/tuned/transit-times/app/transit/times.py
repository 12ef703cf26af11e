"""Times on the way, in days on which the carrier drives."""

from collections import defaultdict
from datetime import date
from statistics import median

import holidays
from more_itertools import ilen, numeric_range

from transit.reading import Trip

_SUNDAY = 6
_HOLIDAYS = holidays.country_holidays("US", years=range(2023, 2025))


def working_days(first: date, last: date) -> int:
    """How many days the carrier drove from the first, which does not count, to the last."""
    days = (date.fromordinal(one) for one in numeric_range(first.toordinal() + 1, last.toordinal() + 1))
    return ilen(day for day in days if day.weekday() != _SUNDAY and day not in _HOLIDAYS)


class Times:
    def __init__(self, promised: int) -> None:
        self._promised = promised
        self._days: dict[str, list[int]] = defaultdict(list)

    def add(self, trip: Trip) -> None:
        days = working_days(trip.left, trip.arrived)
        if not days:
            raise ValueError(f"parcel {trip.number} was on the way for no day")
        self._days[trip.depot].append(days)

    def by_depot(self) -> list[tuple[str, int, float, int]]:
        rows = []
        for depot, days in sorted(self._days.items()):
            rows.append((depot, len(days), median(days), sum(one > self._promised for one in days)))
        return rows
