"""What speaks against a release."""

from collections.abc import Iterator
from datetime import date

from gate.calendar import Calendar

FRIDAY = 4


def reasons(calendar: Calendar, service: str, day: date) -> Iterator[str]:
    if day.weekday() >= FRIDAY:
        yield "not before a weekend"
    if day in calendar.holidays:
        yield calendar.holidays[day]
    for freeze in calendar.freezes:
        if freeze.first <= day <= freeze.last and (not freeze.services or service in freeze.services):
            yield freeze.name
