"""What was taken in and given back, in cents."""

from collections import Counter


class Ledger:
    def __init__(self) -> None:
        self._accounts: Counter[str] = Counter()

    def move(self, source: str, target: str, cents: int) -> None:
        self._accounts[source] -= cents
        self._accounts[target] += cents

    def off(self) -> int:
        return sum(self._accounts.values())

    def balanced(self) -> bool:
        return self.off() == 0
