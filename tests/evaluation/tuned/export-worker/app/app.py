"""Exports the orders of each shop as a file."""

import logging
import os
import sys
import time
from pathlib import Path

from spool import Spool

SHOPS = {"north": [("A-1", "19.90"), ("A-2", "7.00")], "south": [("B-1", "120.00")]}
log = logging.getLogger("export")


def export_all(spool: Spool) -> int:
    spool.prepare()
    for shop, orders in SHOPS.items():
        log.info("%s: %s", shop, spool.put(f"{shop}.csv", [("order", "total"), *orders]))
    return len(SHOPS)


def main() -> int:
    logging.basicConfig(level=os.environ.get("LOG_LEVEL", "INFO"), format="%(message)s")
    spool = Spool(Path(os.environ.get("EXPORT_SPOOL", "/var/spool/exports")))
    tries = int(os.environ.get("EXPORT_TRIES", "3"))
    pause = float(os.environ.get("EXPORT_PAUSE", "0"))
    for number in range(1, tries + 1):
        try:
            log.info("%d shops exported", export_all(spool))
            time.sleep(pause)  # the container is started again as soon as it ends
            return 0
        except OSError as problem:
            log.warning("try %d of %d failed: %s", number, tries, problem.strerror)
            time.sleep(pause)
    log.error("giving up")
    return 1


if __name__ == "__main__":
    sys.exit(main())
