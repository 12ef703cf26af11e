"""Bills the heat of a house: reads what the meters sent, checks that all of it came, prints a statement a flat."""

import os
import sys
import tomllib
from pathlib import Path

from billing.readings import Damaged, read
from billing.statements import render
from loguru import logger

ROOT = os.environ.get("ROOT", "")
HERE = Path(__file__).parent


def main() -> int:
    logger.remove()
    logger.add(sys.stderr, format="{level: <7} {message}", level=os.environ.get("LOGURU_LEVEL", "INFO"))
    settings = tomllib.loads(Path(ROOT + os.environ["HEAT_CONFIG"]).read_text())
    failed = 0
    for house in settings["houses"]:
        file = HERE / "data" / f"{house}.csv"
        try:
            readings = read(file)
        except Damaged as problem:
            logger.error("{}: {}; asked for again, nothing is billed", file.name, problem)
            failed += 1
            continue
        logger.debug("{}: {} readings", file.name, len(readings))
        print(render(house, readings, settings["price"]))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
