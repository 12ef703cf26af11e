"""The periods in which nothing is released, of all teams, and the public holidays."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import holidays
import yaml


@dataclass(frozen=True)
class Freeze:
    name: str
    first: date
    last: date
    services: tuple[str, ...]


class Calendar:
    def __init__(self, freezes: list[Freeze], country: str) -> None:
        self.freezes = freezes
        self.holidays = holidays.country_holidays(country)

    @classmethod
    def read(cls, directory: Path) -> "Calendar":
        country = yaml.safe_load((directory / "gate.yaml").read_text())["country"]
        freezes = []
        for path in sorted(directory.glob("freezes-*.yaml")):
            for entry in yaml.safe_load(path.read_text()):
                services = tuple(entry.get("services", ()))
                freezes.append(Freeze(entry["name"], entry["first"], entry["last"], services))
        return cls(freezes, country)
