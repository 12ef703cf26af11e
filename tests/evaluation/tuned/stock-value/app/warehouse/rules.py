"""What the stock is worth in the books: less, the longer it lies."""

import numpy as np

from warehouse.valuation import Valuation

_DAYS = [0, 180, 365, 730]
_WORTH = [1.0, 0.9, 0.6, 0.2]


def book_value(valuation: Valuation) -> float:
    table = valuation.table()
    worth = np.interp(table["age"].to_numpy(dtype=float), _DAYS, _WORTH)
    return float((table["value"].to_numpy(dtype=float) * worth).sum())
