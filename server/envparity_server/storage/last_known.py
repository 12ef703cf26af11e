"""What is known of a host's sections before a report: the last good ones, with what partial ones told since.

A section that failed says nothing, so the last good one stays what is known of it; a section that is not in a report
whose covering section failed was not listed, and is not gone. Of a section that never was good the last partial one is
what is known. What was known of a section ends with a report that says that it is not there.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, Row, and_, func, or_, select

from envparity_agent.fingerprint import Section, SectionLike, Status
from envparity_server.compare.covering import COVERING, container_of, is_complete
from envparity_server.storage import content, presence
from envparity_server.storage.content import StoredSection, batches
from envparity_server.storage.hosts import Host
from envparity_server.storage.presence import governing, lister
from envparity_server.storage.tables import section_history

_MOST_PARTIAL = 32  # of the newest partial sections since the last good one are read, and no more


@dataclass(frozen=True)
class Known:
    """What is known of a section, and the last report that had it so."""

    section: SectionLike
    until: datetime
    items_until: Mapping[str, datetime] = field(default_factory=dict)  # of items that a partial section told anew

    def until_of(self, item: str) -> datetime:
        """The last report that is known to have had an item as it is here."""
        return self.items_until.get(item, self.until)


def known(
    connection: Connection, host: Host, before: Mapping[str, str], paths: Iterable[str], seen_at: datetime
) -> dict[str, Known]:
    """What is known of some sections, and of those that a cover among them lists, after the report at `seen_at`.

    `before` is the tree of that report, path -> hash. A path of which nothing is known is left out: it was never there,
    or a good covering section said since that it is not.
    """
    wanted = set(paths)
    found = _present(connection, before, wanted & before.keys(), seen_at)
    blind = {path for path in wanted if _is_cover(path) and not (path in found and is_complete(found[path].section))}
    if blind:
        below = {path for path in before if not blind.isdisjoint(governing(path))}
        found |= _present(connection, before, below - found.keys(), seen_at)
    unlisted = {path for path in wanted - before.keys() if not _is_listed(path, found)}
    if blind or unlisted:
        found |= _unlisted(connection, host, blind, unlisted, seen_at)
    unread = [path for path, one in found.items() if not is_complete(one.section)]
    return {**found, **_last_read(connection, host, unread, seen_at)} if unread else found


def _present(
    connection: Connection, before: Mapping[str, str], paths: Iterable[str], seen_at: datetime
) -> dict[str, Known]:
    sections = content.stored(connection, {"present": {path: before[path] for path in paths}})["present"]
    return {path: Known(section, seen_at) for path, section in sections.items()}


def _is_cover(path: str) -> bool:
    return path.rpartition("/")[2] in COVERING.values()


def _is_listed(path: str, found: Mapping[str, Known]) -> bool:
    """Whether the report before would have had a path, were it there."""
    cover = found.get(lister(container_of({near: one.section for near, one in found.items()}, path), path))
    return cover is not None and is_complete(cover.section)


def _unlisted(
    connection: Connection, host: Host, blind: set[str], wanted: set[str], seen_at: datetime
) -> dict[str, Known]:
    """Sections that the report before did not list and that nothing good said to be gone: as they were last."""
    gone = (
        select(section_history.c.path, func.max(section_history.c.first_seen).label("begun"))
        .where(section_history.c.host_id == host.id)
        .group_by(section_history.c.path)
        .having(func.count() == func.count(section_history.c.last_seen))
        .subquery()
    )
    joined = and_(section_history.c.path == gone.c.path, section_history.c.first_seen == gone.c.begun)
    rows = connection.execute(select(section_history).join(gone, joined).where(section_history.c.host_id == host.id))
    asked = [row for row in rows if row.path in wanted or not blind.isdisjoint(governing(row.path))]
    said = presence.gone(connection, host, {row.path: row.last_seen for row in asked}, seen_at)
    lasting = [row for row in asked if row.path not in said]
    sections = content.stored(connection, {"gone": {row.path: row.hash for row in lasting}})["gone"]
    return {row.path: Known(sections[row.path], row.last_seen) for row in lasting}


def _last_read(connection: Connection, host: Host, unread: Iterable[str], seen_at: datetime) -> dict[str, Known]:
    """The last good state of sections that are not good, or what was read of them last."""
    by_path: dict[str, list[Row[tuple[object, ...]]]] = {}
    for batch in batches(sorted(unread)):
        own = section_history.c.host_id == host.id, section_history.c.path.in_(batch)
        good = (
            select(section_history.c.path, func.max(section_history.c.first_seen).label("begun"))
            .where(*own, section_history.c.good)
            .group_by(section_history.c.path)
            .subquery()
        )
        since = or_(good.c.begun.is_(None), section_history.c.first_seen >= good.c.begun)
        rows = connection.execute(
            select(section_history)
            .outerjoin(good, section_history.c.path == good.c.path)
            .where(*own, since)
            .order_by(section_history.c.path, section_history.c.first_seen)
        )
        for row in rows:
            by_path.setdefault(str(row.path), []).append(row)
    kept = [row for rows in by_path.values() for row in (*rows[:1], *rows[1:][-_MOST_PARTIAL:])]
    stored = content.stored(connection, {(row.path, row.first_seen): {row.path: row.hash} for row in kept})
    read: dict[str, list[tuple[StoredSection, datetime]]] = {}
    for row in kept:
        section = stored[row.path, row.first_seen][row.path]
        if is_complete(section) or section.status == Status.PARTIAL:
            read.setdefault(row.path, []).append((section, row.last_seen or seen_at))
    told_at = {path: sections[0 if is_complete(sections[0][0]) else -1][1] for path, sections in read.items()}
    stale = {path: moment for path, moment in told_at.items() if moment < seen_at}
    said = presence.gone(connection, host, stale, seen_at)
    for path, moment in said.items():  # what came back is not held against what went
        read[path] = [(section, until) for section, until in read[path] if until > moment]
    return {path: _overlaid(sections) for path, sections in read.items() if sections}


def _overlaid(read: list[tuple[StoredSection, datetime]]) -> Known:
    """The last good section with the items that partial ones told since; without a good one, the last partial one.

    Only items that the good one has: what a partial section has beside them is told once it can be read.
    """
    (base, until), *later = read
    same_kind = [(section, seen) for section, seen in later if section.kind == base.kind]
    if not is_complete(base):
        return Known(*read[-1])
    if not same_kind or not base.count:
        return Known(base, until)
    items, told = dict(base.items), dict[str, datetime]()
    for section, seen in same_kind:
        again = section.items.keys() & items.keys()
        items |= {item: section.items[item] for item in again}
        told |= dict.fromkeys(again, seen)
    schema = min(section.schema for section, _ in read)  # what all of them tell
    return Known(Section(base.path, base.kind, schema, items, base.status, base.reasons), until, told)
