"""Tells the buyers by mail what runs out."""

from restock.mail import Outbox, letter
from restock.settings import load
from restock.stock import read, short


def main() -> None:
    settings = load()
    low = short(read("stock.json"), settings.lowest, settings.lookahead)
    message = letter(low, settings)
    outbox = Outbox(settings)
    outbox.send(message)
    print(f"{len(low)} goods, {len(outbox.sent)} mail for {message['To']}")


main()
