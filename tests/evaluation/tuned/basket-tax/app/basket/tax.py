"""The tax of a group of articles."""

from collections.abc import Mapping

from basket.catalog import Article


class Rates:
    def __init__(self, rates: Mapping[str, float], cents: int) -> None:
        self._rates = rates
        self._cents = cents

    def gross(self, article: Article, count: int) -> float:
        exact = article.price * count * (1 + self._rates[article.group])
        return round(exact * 100 / self._cents) * self._cents / 100
