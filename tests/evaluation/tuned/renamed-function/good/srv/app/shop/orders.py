"""What is ordered and not sent yet."""


def open_orders(rows):
    return [(sku, count) for sku, count in rows if count]
