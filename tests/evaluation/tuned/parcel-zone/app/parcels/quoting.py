"""What a parcel costs: by zone and weight."""

from collections.abc import Mapping
from typing import Any

from more_itertools import first_true

from parcels.waiting import Parcel

_NORDIC = ("DK", "FI", "IS", "NO", "SE")
_BALTIC = ("EE", "LT", "LV")
_ZONE = {**dict.fromkeys(_NORDIC, 1), **dict.fromkeys(_BALTIC, 2), "DE": 3, "NL": 3, "PL": 3, "GB": 4}
_STEPS = {0: (2.0, 89), 1: (5.0, 149), 2: (10.0, 219), 3: (20.0, 349), 4: (35.0, 499)}
_ABROAD = (0, 60, 120, 180, 310)


class TooLarge(Exception):
    """The carrier does not take it."""


def quote(parcel: Parcel, settings: Mapping[str, Mapping[str, Any]]) -> int:
    limits = settings["limits"]
    if parcel.weight > limits["weight"] or parcel.girth > limits["girth"]:
        raise TooLarge(parcel.number)
    _, price = first_true(_STEPS.values(), pred=lambda step: parcel.weight <= step[0])
    return 100 * (price + _abroad(parcel.country, settings["origin"]["country"]))


def _abroad(to: str, origin: str) -> int:
    if to == origin:
        return 0
    return _ABROAD[abs(_ZONE[to] - _ZONE[origin]) + 1]
