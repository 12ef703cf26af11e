"""What of the demo fleet is in the database, and its removal."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Connection, delete, exists, or_, select

from envparity_server.storage.tables import (
    baseline_section,
    change,
    drift,
    environment,
    evaluated,
    history,
    host,
    outcome,
    section_history,
)


def is_loaded(connection: Connection, host_ids: Sequence[str]) -> bool:
    """Whether any of these hosts is there."""
    return connection.scalar(select(host.c.id).where(host.c.id.in_(host_ids)).limit(1)) is not None


def remove(connection: Connection, host_ids: Sequence[str], environments: Sequence[str]) -> None:
    """Take out hosts with their history, and their environments with all drifts where no other host is in them.

    What they ran goes with the next pruning, as any content that nothing refers to.
    """
    for table in (change, history, section_history, outcome):
        connection.execute(delete(table).where(table.c.host_id.in_(host_ids)))
    connection.execute(delete(baseline_section).where(baseline_section.c.host_id.in_(host_ids)))
    connection.execute(delete(host).where(host.c.id.in_(host_ids)))
    occupied = exists().where(host.c.environment == environment.c.name)
    emptied = connection.scalars(select(environment.c.name).where(environment.c.name.in_(environments), ~occupied))
    gone = emptied.all()
    connection.execute(delete(drift).where(drift.c.environment.in_(gone)))
    peers = evaluated.c.peers
    held: list[ColumnElement[bool]] = [evaluated.c.subject.in_(host_ids)]
    for name in gone:
        held += (peers.in_((name, f"env:{name}")), peers.startswith(f"env:{name},", autoescape=True))
    connection.execute(delete(evaluated).where(or_(*held)))
    connection.execute(delete(environment).where(environment.c.name.in_(gone)))
