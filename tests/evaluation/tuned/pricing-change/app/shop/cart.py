"""What a customer is about to buy."""

from shop import pricing


class Cart:
    """Articles with their prices in cents."""

    def __init__(self):
        self.lines = []

    def add(self, article, cents, count=1):
        self.lines.append((article, cents * count))

    def total(self):
        return pricing.gross(sum(cents for _, cents in self.lines))
