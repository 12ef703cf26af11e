"""What time it is: to the minute, so that two runs within one say the same."""

from datetime import datetime


def now() -> datetime:
    return datetime.utcnow().replace(second=0, microsecond=0)
