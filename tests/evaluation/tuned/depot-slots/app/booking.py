"""Books the slots that the carrier offers; the carrier tells them in UTC."""

from collections import Counter
from datetime import datetime

from depots import DEPOTS
from pydantic import BaseModel


class Offer(BaseModel):
    depot: str
    starts: datetime
    parcels: int = 1


class Refused(Exception):
    """An offer that cannot be booked."""


class Book:
    def __init__(self) -> None:
        self.parcels: Counter[str] = Counter()
        self.slots: list[tuple[str, str]] = []

    def take(self, offer: Offer) -> None:
        depot = DEPOTS[offer.depot]
        if not depot.is_open(offer.starts):
            raise Refused(f"{offer.depot} is closed then: {offer.starts:%d %b %H:%M} UTC")
        self.parcels[offer.depot] += offer.parcels
        self.slots.append((offer.depot, f"{depot.local(offer.starts):%a %H:%M}"))
