"""Posts in the chat of the office which rooms are booked next; run every five minutes."""

import os
from pathlib import Path

from reminders.bookings import bookings
from reminders.clock import now
from reminders.messages import message

CALENDAR = Path(__file__).parent / "data/rooms.ics"


def main() -> None:
    moment = now()
    lead = int(os.environ.get("REMINDERS_LEAD", "15"))
    coming = [(booking, booking.next_after(moment)) for booking in bookings(CALENDAR.read_bytes())]
    for booking, start in sorted((pair for pair in coming if pair[1]), key=lambda pair: pair[1]):
        print(message(booking, start, moment, lead))


if __name__ == "__main__":
    main()
