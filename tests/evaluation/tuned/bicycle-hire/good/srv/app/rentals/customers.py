"""Those who hire."""

import attrs


@attrs.frozen
class Customer:
    number: int
    name: str
    trusted: bool = False


class Customers:
    def __init__(self, known: list[Customer]) -> None:
        self._known = {one.number: one for one in known}

    @classmethod
    def sample(cls) -> "Customers":
        return cls([Customer(10, "Ida", trusted=True), Customer(11, "Per")])

    def get(self, number: int) -> Customer:
        return self._known[number]

    def name(self, number: int) -> str:
        return self._known[number].name
