"""What is ordered."""


def pending(rows):
    return [(sku, count) for sku, count in rows if count]
