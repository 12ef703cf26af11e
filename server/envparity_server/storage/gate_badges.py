"""Badges: pictures of the newest verdict about a ref that anybody may see who has their address; none by default.

The address ends with a secret that is told once and stored as a hash only: what is looked up is the hash, so that how
long an answer takes says nothing of the secret.
"""

import secrets
from dataclasses import astuple, dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, select

from envparity_agent.canonical import canonical, digest
from envparity_server.storage import access, audit, gate_runs
from envparity_server.storage.actors import Actor, Environments, from_stored, stored
from envparity_server.storage.gate_runs import Run
from envparity_server.storage.tables import gate_badge
from envparity_server.storage.upserts import putting


@dataclass(frozen=True)
class Shown:
    """What a badge shows: the newest run of a repository's ref against a reference."""

    repository: str
    ref: str
    against: str


@dataclass(frozen=True)
class Badge:
    """One badge, without its secret."""

    shown: Shown
    environments: Environments  # whose runs it may show
    created_by: str
    created_at: datetime


_COLUMNS = [column for column in gate_badge.c if column.name not in ("key", "secret_hash")]


def make(connection: Connection, by: Actor, shown: Shown, now: datetime) -> str | None:
    """A badge in place of an earlier one of the same, audited; its secret, None where the actor sees no such run."""
    run = gate_runs.newest(connection, shown.repository, shown.ref, shown.against, by.environments)
    if run is None:
        return None
    secret = secrets.token_urlsafe(32)
    environments = gate_runs.environments_of(connection, run.id) or None
    row = {
        "key": _hash(shown),
        "secret_hash": access.hashed(secret),
        **vars(shown),
        "environments": stored(environments),
        "created_by": by.name,
        "created_at": now,
    }
    connection.execute(putting(connection, gate_badge), row)
    _tell(connection, by, "badge.make", shown, environments, now)
    return secret


def remove(connection: Connection, by: Actor, shown: Shown, now: datetime) -> bool:
    """Take a badge away, audited; false where the actor sees none."""
    found = next((one for one in listed(connection, by) if one.shown == shown), None)
    if found is None:
        return False
    connection.execute(delete(gate_badge).where(gate_badge.c.key == _hash(shown)))
    _tell(connection, by, "badge.remove", shown, found.environments, now)
    return True


def listed(connection: Connection, actor: Actor) -> list[Badge]:
    """The badges that show no more than an actor sees."""
    order = gate_badge.c.repository, gate_badge.c.ref, gate_badge.c.against
    found = [
        Badge(
            Shown(row.repository, row.ref, row.against), from_stored(row.environments), row.created_by, row.created_at
        )
        for row in connection.execute(select(*_COLUMNS).order_by(*order))
    ]
    return [one for one in found if actor.covers(one.environments)]


def run_of(connection: Connection, secret: str) -> tuple[bool, Run | None]:
    """Whether a secret is a badge's, and the run that it shows; None where all are pruned."""
    row = connection.execute(select(*_COLUMNS).where(gate_badge.c.secret_hash == access.hashed(secret))).one_or_none()
    if row is None:
        return False, None
    environments = from_stored(row.environments)
    return True, gate_runs.newest(connection, row.repository, row.ref, row.against, environments)


def _tell(
    connection: Connection, by: Actor, action: str, shown: Shown, environments: Environments, now: datetime
) -> None:
    environment = next(iter(environments)) if environments and len(environments) == 1 else None
    name = " ".join(part for part in (shown.repository, shown.ref) if part)
    audit.write(connection, by, action, name, now, environment, against=shown.against)


def _hash(shown: Shown) -> str:
    return digest(canonical(list(astuple(shown))))
