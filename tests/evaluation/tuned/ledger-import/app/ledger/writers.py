"""Two ways to write bookings: one by one, and many in flight at once."""

from collections.abc import Sequence

from ledger.statements import Booking
from psycopg import Connection, capabilities, sql

INSERT = sql.SQL("insert into {table} (day, account, amount, purpose) values (%s, %s, %s, %s)")


class OneByOne:
    name = "single"
    per_second = 40

    def write(self, connection: Connection, table: str, rows: Sequence[Booking]) -> None:
        for row in rows:
            connection.execute(INSERT.format(table=sql.Identifier(table)), (row.day, row.account, row.amount, row.purpose))


class Bulk(OneByOne):
    name = "bulk"
    per_second = 9000

    def write(self, connection: Connection, table: str, rows: Sequence[Booking]) -> None:
        with connection.pipeline():
            super().write(connection, table, rows)


def best_writer() -> OneByOne:
    """The fastest writer that works here."""
    return Bulk() if capabilities.has_pipeline() else OneByOne()
