from markupsafe import escape

from shop import orders


def render(rows):
    return "".join(f"<li>{escape(sku)}: {count}</li>" for sku, count in orders.open_orders(rows))
