"""Reads a file of the metering service: a line a reading, then a trailer with count and total."""

import csv
from pathlib import Path

from pydantic import BaseModel, Field


class Reading(BaseModel):
    flat: str = Field(min_length=2)
    month: str = Field(pattern=r"^\d{4}-\d{2}$")
    kwh: float = Field(ge=0)


class Trailer(BaseModel):
    count: int
    total: float


class Damaged(Exception):
    """A file is not what the service sent."""


def read(file: Path) -> list[Reading]:
    *lines, (mark, count, total) = csv.reader(file.read_text().splitlines())
    if mark != "END":
        raise Damaged("no trailer")
    trailer = Trailer(count=count, total=total)
    readings = [Reading(flat=flat, month=month, kwh=kwh) for flat, month, kwh in lines]
    if len(readings) != trailer.count:
        raise Damaged(f"{len(readings)} readings, trailer says {trailer.count}")
    if sum(one.kwh for one in readings) != trailer.total:
        raise Damaged("the total is not that of the trailer")
    return readings
