"""Tries the alert rules of a file on the samples of the last hour."""

import os
from pathlib import Path

import yaml
from alerts.engine import Engine
from alerts.report import page

HERE = Path(__file__).parent


def main() -> None:
    rules = yaml.safe_load((HERE / "rules.yaml").read_text())
    samples = yaml.safe_load((HERE / "samples.yaml").read_text())
    engine = Engine(history=int(os.environ["ALERTS_HISTORY"]))
    for rule in rules:
        engine.add(rule["name"], rule["when"])
    for sample in samples:
        engine.feed(sample)
    print(page(engine.fired, every=int(os.environ["ALERTS_INTERVAL"])))


main()
