"""The value of the stock, for the books at the end of a quarter."""

import os
import sys
from pathlib import Path

from loguru import logger
from tabulate import tabulate
from warehouse.readers import read_counts
from warehouse.rules import book_value
from warehouse.valuation import Valuation

logger.remove()
logger.add(sys.stderr, format="{level: <7} {message}")
DATA = Path(__file__).parent / "data"


def main() -> int:
    counts = read_counts(DATA.glob("count-*.csv"))
    valuation = Valuation(counts)
    top = int(os.environ["STOCK_TOP"])
    print(tabulate(valuation.largest(top), headers=["article", "value"], floatfmt=".2f"))
    value = book_value(valuation)
    logger.info("booked {:.2f} {}", value, os.environ["STOCK_CURRENCY"])
    if not valuation.plausible(value):
        logger.error("stock is not booked: {:.2f} is far from the {:.2f} of the counts", value, valuation.counted)
        return 2
    return 0


sys.exit(main())
