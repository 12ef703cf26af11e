"""Reads moments as people write them."""

from datetime import datetime

import dateparser


def moment(text: str, languages: list[str], now: datetime) -> datetime | None:
    settings = {"RELATIVE_BASE": now, "PREFER_DATES_FROM": "future", "RETURN_AS_TIMEZONE_AWARE": False}
    return dateparser.parse(text, languages=languages, settings=settings)
