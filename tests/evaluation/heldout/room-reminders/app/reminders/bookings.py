"""The bookings of a calendar; most come again every week."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from dateutil.rrule import rrulestr
from icalendar import Calendar


@dataclass(frozen=True)
class Booking:
    room: str
    title: str
    start: datetime
    rule: str = ""

    def next_after(self, moment: datetime) -> datetime | None:
        if not self.rule:
            return self.start if self.start > moment else None
        return rrulestr(self.rule, dtstart=self.start).after(moment)


def bookings(calendar: bytes) -> Iterator[Booking]:
    for event in Calendar.from_ical(calendar).walk("VEVENT"):
        rule = event["RRULE"].to_ical().decode() if "RRULE" in event else ""
        yield Booking(str(event["LOCATION"]), str(event["SUMMARY"]), event.decoded("DTSTART"), rule)
