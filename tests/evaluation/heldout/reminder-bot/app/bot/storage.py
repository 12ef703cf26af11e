"""Reminders, kept in a database."""

from datetime import datetime

from sqlalchemy import Column, DateTime, Integer, String, create_engine, func, select
from sqlalchemy.orm import Session, declarative_base
from sqlalchemy.pool import StaticPool

Base = declarative_base()


class Reminder(Base):
    __tablename__ = "reminder"

    id = Column(Integer, primary_key=True)
    person = Column(String(40), index=True)
    due = Column(DateTime)
    what = Column(String(200))


class Reminders:
    def __init__(self, url: str) -> None:
        self._engine = create_engine(url, poolclass=StaticPool, future=True)
        Base.metadata.create_all(self._engine)

    def __len__(self) -> int:
        with Session(self._engine) as session:
            return session.scalar(select(func.count(Reminder.id)))

    def add(self, person: str, due: datetime, what: str) -> None:
        with Session(self._engine) as session:
            session.add(Reminder(person=person, due=due, what=what))
            session.commit()

    def of(self, person: str) -> list[tuple[datetime, str]]:
        with Session(self._engine) as session:
            query = select(Reminder.due, Reminder.what).filter_by(person=person).order_by(Reminder.due)
            return [tuple(row) for row in session.execute(query)]
