"""Prints what has to be ordered again."""

import os

from models import Base, Item, Shelf
from sqlalchemy import create_engine, func, select
from sqlalchemy.orm import Session

LEAST = 5


def fill(session: Session) -> None:
    upper = Shelf(label="A-01", items=[Item(sku="bolt-m4", count=120), Item(sku="nut-m4", count=2)])
    lower = Shelf(label="A-02", items=[Item(sku="washer", count=4), Item(sku="nut-m4", count=1)])
    session.add_all([upper, lower])
    session.commit()


def scarce(session: Session) -> list[tuple[str, int]]:
    total = func.sum(Item.count)
    query = select(Item.sku, total).group_by(Item.sku).having(total < LEAST).order_by(Item.sku)
    return [(sku, count) for sku, count in session.execute(query)]


def main() -> None:
    engine = create_engine(os.environ["DATABASE_URL"])
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        fill(session)
        for sku, count in scarce(session):
            print(f"{os.environ['STOCK_SITE']}: order {sku}, {count} left")


if __name__ == "__main__":
    main()
