"""Plans the nightly import: refuses to start what would not be done by the morning."""

import logging
import os
import sys

from ledger.statements import bookings
from ledger.writers import best_writer

STATEMENT = """Datum;Konto;Betrag;Zweck
02.05.2024;DE01;1.200,00;Miete Mai
02.05.2024;DE01;-39,90;Telefon
03.05.2024;DE02;17,25;Rueckzahlung
"""
log = logging.getLogger("ledger")


def main() -> int:
    logging.basicConfig(level=os.environ.get("LOG_LEVEL", "INFO"), format="%(name)s: %(message)s")
    rows = list(bookings(STATEMENT))
    statements = int(os.environ["LEDGER_STATEMENTS"])
    writer = best_writer()
    minutes = len(rows) * statements / writer.per_second / 60
    log.info("%d statements, about %d minutes", statements, minutes)
    if minutes > float(os.environ["LEDGER_MINUTES"]):
        log.error("import would take %d minutes, window is %s: not started", minutes, os.environ["LEDGER_MINUTES"])
        return 1
    print(f"{sum(row.amount for row in rows)} in {len(rows)} bookings, writer {writer.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
