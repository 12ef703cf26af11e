"""The spool of finished exports: written beside its place, then moved into it."""

import csv
import os
from pathlib import Path


class Spool:
    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def prepare(self) -> None:
        for part in ("incoming", "done"):
            (self.directory / part).mkdir(parents=True, exist_ok=True)

    def put(self, name: str, rows: list[tuple[str, ...]]) -> Path:
        partial = self.directory / "incoming" / name
        with partial.open("w", newline="") as file:
            csv.writer(file).writerows(rows)
        done = self.directory / "done" / name
        os.replace(partial, done)
        return done
