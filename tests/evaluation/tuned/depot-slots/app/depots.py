"""The depots, and the hours in which they hand out parcels (local time)."""

from dataclasses import dataclass
from datetime import datetime, time
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class Depot:
    code: str
    zone: str
    opens: time
    closes: time

    def local(self, instant: datetime) -> datetime:
        return instant.astimezone(ZoneInfo(self.zone))

    def is_open(self, instant: datetime) -> bool:
        return self.opens <= self.local(instant).time() < self.closes


DEPOTS = {
    depot.code: depot
    for depot in (
        Depot("HAM", "Europe/Berlin", time(7), time(19)),
        Depot("JFK", "America/New_York", time(8), time(20)),
        Depot("YVR", "America/Vancouver", time(9), time(18)),
        Depot("NRT", "Asia/Tokyo", time(9), time(17)),
    )
}
