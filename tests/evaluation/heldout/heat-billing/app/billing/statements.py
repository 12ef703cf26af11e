"""Writes what each flat has to pay."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from billing.readings import Reading
from jinja2 import Environment, FileSystemLoader, StrictUndefined

_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parents[1] / "templates"),
    undefined=StrictUndefined,
    trim_blocks=True,
)


def render(house: str, readings: Sequence[Reading], price: float) -> str:
    used: dict[str, float] = defaultdict(float)
    for one in readings:
        used[one.flat] += one.kwh
    return _TEMPLATES.get_template("statement.txt").render(house=house, used=sorted(used.items()), price=price)
