"""Those who hire."""

import attrs

from rentals.bookings import of_customer


@attrs.frozen
class Customer:
    number: int
    name: str
    trusted: bool = False

    def busy(self) -> bool:
        """Whether the customer has a bicycle now."""
        return bool(of_customer(self.number))


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

    def forget(self, number: int) -> None:
        if not self.get(number).busy():
            del self._known[number]
