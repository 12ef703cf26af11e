from dataclasses import dataclass


@dataclass
class Order:
    sku: str
    count: int | None


def total(orders: list[Order]) -> int:
    return sum(order.count or 0 for order in orders)
