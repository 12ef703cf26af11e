"""Writes the letters of the night: a confirmation to each guest, in the guest's language."""

import json
import logging
import os
import sys
import tomllib
from pathlib import Path

from letters.checks import complaints
from letters.writing import write

HERE = Path(__file__).parent
log = logging.getLogger("letters")


def main() -> int:
    level = logging.DEBUG if "STAY_DEBUG" in os.environ else logging.INFO
    logging.basicConfig(level=level, format="%(levelname)s %(name)s %(message)s", stream=sys.stderr)
    house = tomllib.loads((Path(os.environ.get("ROOT", "/")) / "etc/stay/house.toml").read_text())
    held = 0
    for booking in json.loads((HERE / "bookings.json").read_text()):
        message = write(booking, house)
        if problems := complaints(message, booking):
            log.error("booking %s held back: %s", booking["number"], "; ".join(problems))
            held += 1
        else:
            log.info("booking %s to %s: %s", booking["number"], message["To"], message["Subject"])
    log.info("%d held back", held)
    return 1 if held else 0


if __name__ == "__main__":
    sys.exit(main())
