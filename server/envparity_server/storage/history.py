"""What a host ran when: intervals of roots and of sections, from the first report that had one to the last."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Subquery, and_, func, insert, or_, select, update

from envparity_server.storage import content
from envparity_server.storage.content import batches
from envparity_server.storage.tables import history, section_history


@dataclass(frozen=True)
class Interval:
    """A root, and when reports had it; `last_seen` is None while it is the present one."""

    root: str
    first_seen: datetime
    last_seen: datetime | None


@dataclass(frozen=True)
class Tree:
    """What a host ran: an interval, and its sections, path -> hash."""

    interval: Interval
    sections: Mapping[str, str]


@dataclass(frozen=True)
class SectionHead:
    """What `section_history` keeps of a section beside its hash."""

    kind: str
    good: bool  # ok, or known not to be there


def intervals(connection: Connection, host_id: str, limit: int = 50) -> list[Interval]:
    """A host's history, the newest first."""
    rows = connection.execute(
        select(history.c.root, history.c.first_seen, history.c.last_seen)
        .where(history.c.host_id == host_id)
        .order_by(history.c.first_seen.desc())
        .limit(limit)
    )
    return [Interval(row.root, row.first_seen, row.last_seen) for row in rows]


def at(connection: Connection, host_ids: Iterable[str], moment: datetime | None = None) -> dict[str, Tree]:
    """What each host ran at a moment, now by default; a host that had not reported by then is left out.

    Between two reports it is what the earlier one told.
    """
    found: dict[str, Tree] = {}
    for batch in batches(list(host_ids)):
        begun = (
            select(history.c.host_id, func.max(history.c.first_seen).label("begun"))
            .where(history.c.host_id.in_(batch), *([history.c.first_seen <= moment] if moment else []))
            .group_by(history.c.host_id)
            .subquery()
        )
        rows = connection.execute(
            select(history).join(
                begun, and_(history.c.host_id == begun.c.host_id, history.c.first_seen == begun.c.begun)
            )
        )
        standing = {row.host_id: Interval(row.root, row.first_seen, row.last_seen) for row in rows}
        trees = _then(connection, begun, standing) if moment else _now(connection, standing)
        found |= {host_id: Tree(interval, trees[host_id]) for host_id, interval in standing.items()}
    return found


def _now(connection: Connection, standing: Mapping[str, Interval]) -> Mapping[str, Mapping[str, str]]:
    """From the roots: those of the present are stored, and most have been opened lately."""
    trees = content.trees(connection, (one.root for one in standing.values()), content.recall)
    return {host_id: trees[one.root] for host_id, one in standing.items()}


def _then(connection: Connection, begun: Subquery, standing: Collection[str]) -> Mapping[str, Mapping[str, str]]:
    """From the intervals of sections: roots of the past are not kept."""
    sections = select(section_history.c.host_id, section_history.c.path, section_history.c.hash).join(
        begun,
        and_(
            section_history.c.host_id == begun.c.host_id,
            section_history.c.first_seen <= begun.c.begun,
            or_(section_history.c.last_seen.is_(None), section_history.c.last_seen >= begun.c.begun),
        ),
    )
    trees: dict[str, dict[str, str]] = {host_id: {} for host_id in standing}
    for row in connection.execute(sections):
        trees[row.host_id][row.path] = row.hash
    return trees


def known(connection: Connection, hashes: Iterable[str]) -> set[str]:
    """Those of the sections that a host has or had: all that is below them is stored."""
    found: set[str] = set()
    for batch in batches(list(dict.fromkeys(hashes))):
        found.update(
            connection.scalars(select(section_history.c.hash).where(section_history.c.hash.in_(batch)).distinct())
        )
    return found


def advance(
    connection: Connection,
    host_id: str,
    root: str,
    sections: Mapping[str, str],
    heads: Mapping[str, SectionHead],
    seen_at: datetime | None,
    now: datetime,
) -> None:
    """End what a host ran at its last report (`seen_at`, None for the first) and begin what it runs now.

    1. The interval of another root ends when that root was last seen, and one of the new root begins.
    2. The same for each section that is not the one of before; `heads` tells of those, by hash.
    """
    connection.execute(
        update(history).where(history.c.host_id == host_id, history.c.last_seen.is_(None)).values(last_seen=seen_at)
    )
    connection.execute(insert(history).values(host_id=host_id, first_seen=now, root=root))
    present = section_history.c.host_id == host_id, section_history.c.last_seen.is_(None)
    rows = connection.execute(select(section_history.c.path, section_history.c.hash).where(*present))
    before = {row.path: row.hash for row in rows}
    ended = [path for path, hash in before.items() if sections.get(path) != hash]
    for batch in batches(ended):
        connection.execute(
            update(section_history).where(*present, section_history.c.path.in_(batch)).values(last_seen=seen_at)
        )
    begun = [
        {
            "host_id": host_id,
            "path": path,
            "first_seen": now,
            "hash": hash,
            "kind": heads[hash].kind,
            "good": heads[hash].good,
        }
        for path, hash in sections.items()
        if before.get(path) != hash
    ]
    if begun:
        connection.execute(insert(section_history), begun)
