"""Exports the bookings of a month for the tax advisor, and reads the file as the advisor's program will."""

import os
import sys
import tomllib
from pathlib import Path

from ledger.advisor import Refused, check
from ledger.export import Form, export
from ledger.store import bookings, opened

ETC = Path(os.environ.get("ROOT", "/")) / "etc/ledger"


def settings(name: str) -> dict:
    return tomllib.loads((ETC / f"{name}.toml").read_text())


def main() -> int:
    chosen, accounts = settings("export")["export"], settings("accounts")["accounts"]
    form = Form(chosen["delimiter"], chosen["decimal_mark"], chosen["line_end"], chosen["header"])
    with opened() as session:
        text = export(bookings(session, chosen["period"]), accounts, form)
    try:
        count = check(text, chosen["header"])
    except Refused as refused:
        print(f"export of {chosen['period']} not sent: {refused}", file=sys.stderr)
        return 4
    print(f"{chosen['book']}-{chosen['period']}.csv: {count} bookings, {len(text)} characters")
    return 0


sys.exit(main())
