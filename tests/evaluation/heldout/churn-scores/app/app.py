"""Scores the customers of the day: who is about to leave, most likely first."""

import argparse
import os
import sys
from pathlib import Path

import pandas as pd
from churn.features import features
from churn.model import Model

HERE = Path(__file__).parent


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=Path, default=HERE / "customers.csv")
    parser.add_argument("--model", type=Path, default=HERE / "models/churn.txt")
    return parser.parse_args()


def main() -> int:
    given = arguments()
    customers = pd.read_csv(given.customers, parse_dates=["since", "last_order"])
    model = Model.load(given.model)
    customers["score"] = model.score(features(customers))
    worst = customers.sort_values("score", ascending=False).head(int(os.environ.get("CHURN_TOP", "3")))
    for row in worst.itertuples():
        print(f"{row.customer} {row.score:.2f}")
    return 0 if customers["score"].between(0, 1).all() else 1


if __name__ == "__main__":
    sys.exit(main())
