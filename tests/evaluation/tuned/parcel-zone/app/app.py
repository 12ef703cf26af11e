"""Quotes the parcels that wait."""

import os
from pathlib import Path

from parcels.quoting import quote
from parcels.settings import read
from parcels.waiting import waiting

SETTINGS = Path(os.environ.get("ROOT", "/")) / "etc/parcels/service.yaml"


def main() -> None:
    settings = read(SETTINGS)
    sum_of_all = 0
    for parcel in waiting(Path(__file__).with_name("waiting.csv")):
        price = quote(parcel, settings)
        sum_of_all += price
        print(f"{parcel.number}  {parcel.country}  {price / 100:8.2f}")
    print(f"{settings['carrier']['name']}: {sum_of_all / 100:.2f}")


main()
