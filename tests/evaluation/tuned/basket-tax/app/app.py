"""Asks the catalog for what lies in a basket, and adds the tax."""

import os
import tomllib
from pathlib import Path

import httpx
from babel.numbers import format_currency
from basket.catalog import Catalog
from basket.tax import Rates

ROOT = Path(os.environ.get("ROOT", "/"))
BASKET = {"8817": 2, "2203": 1, "4109": 3}


def main() -> None:
    settings = tomllib.loads((ROOT / "etc/basket/rates.toml").read_text())
    rates = Rates(settings["rates"], settings["rounding"]["cents"])
    with httpx.Client(transport=httpx.MockTransport(Catalog.recorded), base_url="http://catalog.test") as client:
        catalog = Catalog(client, os.environ["BASKET_REGION"])
        total = 0.0
        for sku, count in BASKET.items():
            article = catalog.article(sku)
            gross = rates.gross(article, count)
            total += gross
            print(f"{count} x {article.name:<12} {format_currency(gross, 'EUR', locale='en')}")
        print(format_currency(total, "EUR", locale="en"))


main()
