"""Which rules hold for which samples."""

from collections import deque
from collections.abc import Mapping

from cachetools import LRUCache, cached

from alerts.language import Condition, compiled


@cached(LRUCache(256))
def _condition(text: str) -> Condition:
    return compiled(text)


class Engine:
    def __init__(self, history: int) -> None:
        self.fired: deque[tuple[str, str]] = deque(maxlen=history)
        self._rules: dict[str, Condition] = {}

    def add(self, name: str, text: str) -> None:
        self._rules[name] = _condition(text)

    def feed(self, sample: Mapping[str, float | str]) -> None:
        host = str(sample["host"])
        self.fired.extend((host, name) for name, holds in self._rules.items() if holds(sample))
