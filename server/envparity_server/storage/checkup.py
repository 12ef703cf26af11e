"""What only `envparity server doctor` asks the database: whether its file is whole, and what was given up."""

from datetime import datetime

from sqlalchemy import Connection, func, select

from envparity_server.storage.tables import delivery


def fault(connection: Connection) -> str | None:
    """The first thing that SQLite finds wrong in its file, None where nothing is; for SQLite only."""
    found = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar()
    return None if found == "ok" else str(found)


def size(connection: Connection) -> int:
    """Bytes that a PostgreSQL database takes."""
    return int(connection.scalar(select(func.pg_database_size(func.current_database()))) or 0)


def given_up(connection: Connection, since: datetime) -> int:
    """How many deliveries that were made since a moment nobody tries any more."""
    over = (delivery.c.made_at >= since, delivery.c.due_at.is_(None), delivery.c.delivered_at.is_(None))
    return connection.scalar(select(func.count()).select_from(delivery).where(*over)) or 0
