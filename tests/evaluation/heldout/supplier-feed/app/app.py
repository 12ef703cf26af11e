"""Fetches the price lists of our suppliers, and says which prices moved."""

import os
import sys
from pathlib import Path

import yaml
from feed.compare import moved
from feed.fetch import Failed, fetch
from feed.parse import articles
from rich.console import Console

HERE = Path(__file__).parent


def main() -> int:
    console = Console(width=100, no_color="NO_COLOR" in os.environ)
    suppliers = yaml.safe_load((HERE / "suppliers.yaml").read_text())
    failed = []
    for name, supplier in suppliers.items():
        try:
            body = fetch(supplier["url"], timeout=int(os.environ.get("FEED_TIMEOUT", "20")))
        except Failed as problem:
            console.print(f"{name}: {problem}", style="red")
            failed.append(name)
            continue
        found = articles(body, supplier["format"])
        for number, old, new in moved(supplier["last"], found, threshold=float(os.environ["FEED_THRESHOLD"])):
            console.print(f"{name} {number}: {old} -> {new}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
