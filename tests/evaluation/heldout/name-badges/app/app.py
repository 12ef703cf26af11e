"""Draws the badges of all who come, ready for the printer at the door."""

import logging
import os
import sys
import tempfile
from pathlib import Path

from badges.draw import Badge
from badges.guests import guests
from badges.sheet import sheets

HERE = Path(__file__).parent
log = logging.getLogger("badges")


def main() -> int:
    logging.basicConfig(level=os.environ.get("LOG_LEVEL", "INFO"), format="%(levelname)s %(message)s")
    coming = list(guests(HERE / "guests.csv"))
    drawn = [Badge(guest, host=os.environ["BADGES_HOST"]).image() for guest in coming]
    with tempfile.TemporaryDirectory() as spool:
        for number, sheet in enumerate(sheets(drawn), start=1):
            path = Path(spool) / f"sheet-{number}.png"
            sheet.save(path, dpi=(300, 300))
            log.info("%s: %d kB", path.name, path.stat().st_size // 1024)
    print(f"{len(drawn)} badges for {os.environ.get('BADGES_PRINTER', 'nobody')}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
