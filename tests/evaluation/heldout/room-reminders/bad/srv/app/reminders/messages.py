"""What the chat shows."""

from datetime import datetime, timedelta

import humanize
from reminders.bookings import Booking


def message(booking: Booking, start: datetime, moment: datetime, lead: int) -> str:
    left = start - moment
    soon = ":bell: " if left <= timedelta(minutes=lead) else ""
    return f"{soon}*{booking.room}*: {booking.title} in {humanize.precisedelta(left, minimum_unit='minutes')}"
