"""The parcels that wait for a label."""

import csv
from collections.abc import Iterator
from pathlib import Path

import attrs
import phonenumbers


@attrs.frozen
class Parcel:
    number: str
    country: str
    weight: float = attrs.field(converter=float, validator=attrs.validators.gt(0))
    girth: int = attrs.field(converter=int)
    phone: str = attrs.field(default="")

    @phone.validator
    def _can_be_called(self, _: attrs.Attribute, value: str) -> None:
        if value and not phonenumbers.is_possible_number(phonenumbers.parse(value, self.country)):
            raise ValueError(f"{self.number}: nobody can call {value}")


def waiting(file: Path) -> Iterator[Parcel]:
    with file.open(newline="") as lines:
        yield from (Parcel(**row) for row in csv.DictReader(lines))
