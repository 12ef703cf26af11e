"""Holds what the shop took in against what the bank says, day by day."""

import os
import sys
from decimal import Decimal
from pathlib import Path

from loguru import logger
from settlement.compare import differing
from settlement.ledger import by_day, read_payments
from settlement.statement import read_statement
from tabulate import tabulate

DATA = Path(__file__).parent / "data"


def main() -> int:
    logger.remove()
    logger.add(sys.stderr, level=os.environ["LOG_LEVEL"], format="{level} {message}")
    ours = by_day(read_payments(DATA / "payments.jsonl"))
    theirs = read_statement(DATA / "statement.csv", os.environ["STATEMENT_ENCODING"])
    logger.debug("{} days here, {} in the statement", len(ours), len(theirs))
    rows = differing(ours, theirs, Decimal(os.environ["SETTLEMENT_TOLERANCE"]))
    if rows:
        logger.error("{} of {} days do not agree ({})", len(rows), len(theirs), os.environ["DISPLAY_TIMEZONE"])
        print(tabulate(rows, headers=["day", "shop", "bank"], disable_numparse=True))
        return 1
    print(f"settled {sum(theirs.values())} {os.environ['SETTLEMENT_CURRENCY']}")
    return 0


sys.exit(main())
