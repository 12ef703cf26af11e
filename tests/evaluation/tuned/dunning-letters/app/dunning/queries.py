"""What is asked of the data base."""

from collections.abc import Sequence
from datetime import date, timedelta

from sqlalchemy import Connection, Row, bindparam, text

_ADD = text("INSERT INTO customers (id, name, street) VALUES (:id, :name, :street)")
_BILL = text("INSERT INTO invoices (customer, cents, issued) VALUES (:customer, :cents, :issued)")
_LATE = text("""
    SELECT i.number, i.cents, i.issued, i.reminded, c.name, c.street
    FROM invoices i JOIN customers c ON c.id = i.customer
    WHERE i.issued < :before AND i.paid = 0 AND i.reminded < 3
    ORDER BY i.issued
""")
_REMIND = text("UPDATE invoices SET reminded = reminded + 1, reminded_on = :today WHERE number IN :numbers").bindparams(
    bindparam("numbers", expanding=True)
)


class Invoices:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def fill_sample(self) -> None:
        self._connection.execute(_ADD, [{"id": 1, "name": "Ada Brook", "street": "Mill Lane 2"}])
        bills = [(1, 12900, "2024-05-02"), (1, 4590, "2024-06-29")]
        self._connection.execute(
            _BILL, [dict(zip(("customer", "cents", "issued"), bill, strict=True)) for bill in bills]
        )

    def late(self, today: date, grace: int) -> Sequence[Row]:
        before = today - timedelta(days=14 + grace)
        return self._connection.execute(_LATE, {"before": before.isoformat()}).all()

    def remind(self, invoices: Sequence[Row], today: date) -> None:
        numbers = [invoice.number for invoice in invoices]
        self._connection.execute(_REMIND, {"numbers": numbers, "today": today.isoformat()})
