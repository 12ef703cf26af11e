"""What lies in the warehouse, and what of it runs out."""

import json
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Article:
    name: str
    left: int
    per_day: float

    def days(self) -> float:
        return self.left / self.per_day if self.per_day else float("inf")


def read(name: str) -> list[Article]:
    file = Path(__file__).parents[1] / name
    return [Article(**entry) for entry in json.loads(file.read_text())]


def short(articles: list[Article], lowest: int, lookahead: int) -> list[Article]:
    low = [one for one in articles if one.left < lowest or one.days() < lookahead]
    return sorted(low, key=Article.days)
