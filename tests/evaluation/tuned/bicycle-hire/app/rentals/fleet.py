"""The bicycles."""

import attrs


@attrs.frozen
class Bicycle:
    number: int
    kind: str


FLEET = [Bicycle(number, "cargo" if number > 3 else "city") for number in range(1, 6)]
