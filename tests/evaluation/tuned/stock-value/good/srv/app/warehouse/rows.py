"""A line of a count."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    article: str
    count: int
    price: float
    age: int
