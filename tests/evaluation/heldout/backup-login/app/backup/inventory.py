"""The databases that are dumped every night."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml


@dataclass(frozen=True)
class Database:
    name: str
    host: str
    user: str
    port: int = 5432
    jobs: int = 1


def databases(inventory: Path) -> Iterator[Database]:
    table = yaml.safe_load(inventory.read_text())
    for entry in table["databases"]:
        yield Database(**{**table.get("defaults", {}), **entry})
