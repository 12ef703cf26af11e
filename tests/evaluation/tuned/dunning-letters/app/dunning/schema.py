"""Brings a data base to the newest schema: each step is a file, in the order of their names."""

from pathlib import Path

import sqlparse
from sqlalchemy import Connection

_STEPS = Path(__file__).parents[1] / "schema"


def build(connection: Connection) -> str:
    """Take every step; returns the name of the last."""
    last = ""
    for step in sorted(_STEPS.glob("[0-9][0-9][0-9]_*.sql")):
        for statement in sqlparse.split(step.read_text()):
            connection.exec_driver_sql(sqlparse.format(statement, strip_comments=True))
        last = step.stem
    return last
