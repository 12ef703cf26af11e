"""Prints the labels for the shelves: a price in the language of each shop."""

import os
import sys
from datetime import date
from pathlib import Path

import yaml
from labels.articles import read
from labels.layout import Label, sheet
from labels.pricing import MissingPrice
from more_itertools import chunked

ETC = Path(os.environ.get("ROOT", "/")) / "etc/labels"
HERE = Path(__file__).parent


def main() -> int:
    shops = yaml.safe_load((ETC / "shops.yaml").read_text())
    articles = list(read(HERE / "articles.csv"))
    problems = []
    for shop in shops["shops"]:
        try:
            labels = [Label.of(article, shop, date(2024, 9, 2)) for article in articles]
        except MissingPrice as problem:
            problems.append(f"{shop['name']}: {problem}")
            continue
        for number, page in enumerate(chunked(labels, shops["sheet"]["labels"]), 1):
            picture = sheet(page, shops["sheet"])
            print(f"{shop['name']} page {number}: {len(page)} labels, {picture.width}x{picture.height}")
    print("\n".join(problems), file=sys.stderr)
    return 1 if problems else 0


sys.exit(main())
