"""Who has which bicycle, and until when."""

import itertools
from datetime import date

import attrs
from dateutil.relativedelta import relativedelta

from rentals.customers import Customer
from rentals.fleet import FLEET, Bicycle
from rentals.prices import deposit_for

_TODAY = date(2024, 5, 17)
_NUMBERS = itertools.count(4001)


@attrs.define
class Booking:
    bicycle: int
    customer: int
    until: date
    deposit: int = 0
    number: int = attrs.field(factory=lambda: next(_NUMBERS))

    @classmethod
    def start(cls, bicycle: int, customer: Customer, deposit: int) -> "Booking":
        until = _TODAY + relativedelta(days=2 if customer.trusted else 1)
        made = cls(bicycle, customer.number, until, deposit_for(customer.trusted, deposit))
        _BOOKINGS.append(made)
        return made


_BOOKINGS = [Booking(1, 10, date(2024, 5, 18)), Booking(2, 11, date(2024, 5, 15))]


def of_customer(number: int) -> list[Booking]:
    return [one for one in _BOOKINGS if one.customer == number]


def overdue() -> list[Booking]:
    return [one for one in _BOOKINGS if one.until < _TODAY]


def free_bicycles() -> list[Bicycle]:
    taken = {one.bicycle for one in _BOOKINGS}
    return [bicycle for bicycle in FLEET if bicycle.number not in taken]
