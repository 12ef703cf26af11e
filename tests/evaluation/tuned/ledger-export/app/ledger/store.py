"""The bookings; a copy in memory stands for the data base of the shop."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date

from sqlalchemy import create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

_SAMPLE = (
    (date(2024, 3, 30), "goods", 129.00, "Order 5119"),
    (date(2024, 4, 2), "goods", 48.50, "Order 5120"),
    (date(2024, 4, 2), "postage", 4.90, "Order 5120"),
    (date(2024, 4, 17), "discount", -12.25, "Order 5141, spring sale"),
)


class Base(DeclarativeBase):
    pass


class Booking(Base):
    __tablename__ = "bookings"
    number: Mapped[int] = mapped_column(primary_key=True)
    day: Mapped[date]
    kind: Mapped[str]
    amount: Mapped[float]
    text: Mapped[str]


@contextmanager
def opened() -> Iterator[Session]:
    engine = create_engine("sqlite://")
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add_all(Booking(day=day, kind=kind, amount=amount, text=text) for day, kind, amount, text in _SAMPLE)
        session.flush()
        yield session


def bookings(session: Session, period: str) -> Sequence[Booking]:
    found = session.scalars(select(Booking).order_by(Booking.day, Booking.number))
    return [one for one in found if one.day.isoformat().startswith(period)]
