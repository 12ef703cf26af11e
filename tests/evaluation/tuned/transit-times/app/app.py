"""How long parcels are on the way, and which were late."""

import os
from pathlib import Path

from tabulate import tabulate
from transit.reading import read
from transit.times import Times

DATA = Path(__file__).parent / "data"


def main() -> None:
    times = Times(promised=int(os.environ["TRANSIT_PROMISED"]))
    for trip in read(DATA / f"{os.environ['TRANSIT_CARRIER']}.csv"):
        times.add(trip)
    print(tabulate(times.by_depot(), headers=["depot", "parcels", "median", "late"]))


main()
