"""Asks suppliers for their prices of the day, and says which of ours are below them now."""

import logging
import sys

from prices.compare import below
from prices.settings import Settings
from prices.suppliers import Supplier, SupplierDown


def main() -> int:
    settings = Settings()
    logging.basicConfig(level=settings.log_level, format="%(levelname)s %(name)s: %(message)s")
    supplier = Supplier(settings.url, settings.token.get_secret_value(), settings.timeout)
    try:
        offers = supplier.offers()
    except SupplierDown as problem:
        logging.getLogger("prices").error("%s", problem)
        return 1
    for line in below(offers, settings.margin):
        print(line)
    return 0


if __name__ == "__main__":
    sys.exit(main())
