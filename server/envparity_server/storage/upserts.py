"""Inserts of rows that may be there already: these are left as they are or replaced, alike on both databases."""

from sqlalchemy import Connection, Insert, Table
from sqlalchemy.dialects import postgresql, sqlite


def adding(connection: Connection, table: Table) -> Insert:
    """An insert that leaves what is there as it is; two may add the same at once."""
    return _insert(connection, table).on_conflict_do_nothing()


def putting(connection: Connection, table: Table) -> Insert:
    """An insert that takes the place of the row with the same primary key; each row has a value for every column."""
    insert = _insert(connection, table)
    keys = [column.name for column in table.primary_key]
    new = {column.name: insert.excluded[column.name] for column in table.c if column.name not in keys}
    return insert.on_conflict_do_update(index_elements=keys, set_=new)


def _insert(connection: Connection, table: Table) -> postgresql.Insert | sqlite.Insert:
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)
