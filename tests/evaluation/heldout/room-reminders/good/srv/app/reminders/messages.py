"""What the chat shows."""

from datetime import datetime, timedelta

import humanize
from reminders.bookings import Booking


def message(booking: Booking, start: datetime, moment: datetime, lead: int) -> str:
    soon = ":bell: " if start - moment <= timedelta(minutes=lead) else ""
    return f"{soon}{booking.room}: {booking.title} in {humanize.naturaldelta(start - moment)}"
