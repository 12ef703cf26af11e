"""The book that invoices are entered into."""

from decimal import Decimal

from rich.console import Console
from rich.table import Table


class Book:
    def __init__(self, accounts) -> None:
        self._accounts = accounts
        self._entries = []

    def enter(self, invoice) -> None:
        account = self._accounts.get(invoice["supplier"], self._accounts["default"])
        net = Decimal(invoice["net"])
        self._entries.append((invoice["day"], invoice["number"], account, f"{net:.2f} {invoice['currency']}"))

    def table(self) -> str:
        table = Table("day", "invoice", "account", "net")
        for entry in sorted(self._entries):
            table.add_row(*map(str, entry))
        console = Console(width=72)
        with console.capture() as printed:
            console.print(table)
        return printed.get()
