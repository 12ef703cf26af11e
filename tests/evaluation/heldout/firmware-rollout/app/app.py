"""Plans which gateways get which firmware tonight."""

import logging
import os
import sys
from pathlib import Path

import yaml
from rollout.catalog import Catalog
from rollout.fleet import gateways
from rollout.plan import Refused, plan
from tabulate import tabulate

HERE = Path(__file__).parent
ROOT = Path(os.environ.get("ROOT", "/"))


def main() -> int:
    settings = yaml.safe_load((ROOT / "etc/rollout/rollout.yaml").read_text())
    logging.basicConfig(level=settings["log_level"], format="%(levelname)s %(message)s")
    catalog = Catalog.read(HERE / "data/releases.yaml")
    rows = []
    refused = 0
    for gateway in gateways(HERE / "data/gateways.csv"):
        try:
            step = plan(gateway, catalog.newest(gateway.model, settings["channel"]))
        except Refused as problem:
            logging.error("%s: %s", gateway.name, problem)
            refused += 1
            continue
        if step:
            rows.append(step)
    print(tabulate(rows[: settings["per_night"]], headers=["gateway", "from", "to"]))
    return 1 if refused else 0


if __name__ == "__main__":
    sys.exit(main())
