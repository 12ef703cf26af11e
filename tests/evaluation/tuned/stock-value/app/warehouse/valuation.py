"""Adds up what was counted."""

from collections.abc import Iterable

import pandas as pd

from warehouse.rows import Row


class Valuation:
    def __init__(self, counts: Iterable[Row]) -> None:
        self._counts = counts
        self.counted = sum(row.count * row.price for row in counts)

    def table(self) -> pd.DataFrame:
        """One line for each article, over all warehouses."""
        rows = [(row.article, row.count * row.price, row.age) for row in self._counts]
        frame = pd.DataFrame(rows, columns=["article", "value", "age"])
        return frame.groupby("article", as_index=False).agg({"value": "sum", "age": "max"})

    def largest(self, top: int) -> list[list[object]]:
        return self.table().nlargest(top, "value")[["article", "value"]].to_numpy().tolist()

    def plausible(self, value: float) -> bool:
        return 0.5 * self.counted <= value <= self.counted
