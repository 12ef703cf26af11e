"""Whether a section was there: what the reports of a host said of a path, by its own rows and those of what lists it.

A path is known not to be there in a report that lacks it while the section that would list it is good: the search of
the container that it is in, or the list of containers where that container is not there either.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from envparity_agent.fingerprint import Status
from envparity_server.compare.covering import COVERING
from envparity_server.storage import content
from envparity_server.storage.content import batches
from envparity_server.storage.hosts import Host
from envparity_server.storage.tables import history, section_history


def governing(path: str) -> Iterator[str]:
    """The paths of the sections that would list a path: `containers` and `container/web/python` of one inside."""
    return (cover for prefix in _prefixes(path) if (cover := lister(prefix[:-1], path)))


def above(path: str) -> Iterator[str]:
    """The paths that a path is nested in, as far as names tell."""
    return (prefix[:-1] for prefix in _prefixes(path) if prefix)


def _prefixes(path: str) -> Iterator[str]:
    yield ""
    if path.startswith("container/"):
        yield from (path[: end + 1] for end, letter in enumerate(path) if letter == "/" and end > len("container/"))


def lister(container: str, path: str) -> str:
    """The path of the section that would list a path in a container, empty for the host's own; empty for none."""
    prefix = f"{container}/" if container else ""
    return next((prefix + cover for listed, cover in COVERING.items() if path.startswith(prefix + listed)), "")


def gone(connection: Connection, host: Host, since: Mapping[str, datetime], seen_at: datetime) -> dict[str, datetime]:
    """The newest report since a moment of its own in which each path was known not to be there; none is left out."""
    reports = _Reports(connection, host, since, min(since.values(), default=seen_at), seen_at)
    found: dict[str, datetime] = {}
    for path, begun in since.items():
        last = next((last for first, last in reports.moments if first > begun and reports.is_gone(path, first)), None)
        if last:
            found[path] = last
    return found


def unseen(connection: Connection, host: Host, paths: Iterable[str], seen_at: datetime) -> dict[str, datetime]:
    """Sections that came without being told, each with the last report that is known to have been without it.

    Since that report either they could not be read, or what lists them was not good.
    """
    wanted = sorted(paths)
    reports = _Reports(connection, host, wanted, None, seen_at)
    readable = reports.readable(connection, wanted)
    found: dict[str, datetime] = {}
    for path in wanted:
        for first, last in reports.moments:
            row, cover = reports.at(path, first), reports.cover(path, first)
            if row is None and reports.is_gone(path, first):
                if not reports.is_in_none(path, first):  # the container that came has a row for all that is in it
                    found[path] = last
                break
            if row is not None and row.hash in readable and cover is not None and cover.good:
                break
    return found


class _Reports:
    """The reports of a host as far as some paths, those that list them and those that they are in, are concerned."""

    moments: list[tuple[datetime, datetime]]  # first and last report of each root, the newest first

    def __init__(
        self, connection: Connection, host: Host, paths: Iterable[str], since: datetime | None, seen_at: datetime
    ) -> None:
        wanted = sorted({path for one in paths for path in (one, *above(one), *governing(one))})
        roots = select(history.c.first_seen, history.c.last_seen).where(history.c.host_id == host.id)
        if since:
            roots = roots.where(history.c.first_seen > since)
        found = connection.execute(roots.order_by(history.c.first_seen.desc())) if wanted else ()
        self.moments = [(first, last or seen_at) for first, last in found]
        self._rows: dict[str, list[Row[Any]]] = {}
        for batch in batches(wanted):
            rows = connection.execute(
                select(section_history)
                .where(section_history.c.host_id == host.id, section_history.c.path.in_(batch))
                .order_by(section_history.c.path, section_history.c.first_seen)
            )
            for row in rows:
                self._rows.setdefault(row.path, []).append(row)

    def at(self, path: str, moment: datetime) -> Row[Any] | None:
        """The row of a path in the report at a moment."""
        rows = self._rows.get(path, [])
        place = bisect_right(rows, moment, key=lambda row: row.first_seen)
        row = rows[place - 1] if place else None
        return row if row is not None and (row.last_seen is None or row.last_seen >= moment) else None

    def cover(self, path: str, moment: datetime) -> Row[Any] | None:
        """The row of the section that would list a path in the report at a moment."""
        cover = lister(self._container(path, moment), path)
        return self.at(cover, moment) if cover else None

    def is_gone(self, path: str, moment: datetime) -> bool:
        """Whether the report at a moment says that a path is not there."""
        cover = self.cover(path, moment)
        return self.at(path, moment) is None and cover is not None and bool(cover.good)

    def is_in_none(self, path: str, moment: datetime) -> bool:
        """Whether a path is inside a container that is not in the report at a moment."""
        ever = any(row.kind == "container" for one in above(path) for row in self._rows.get(one, ()))
        return ever and not self._container(path, moment)

    def readable(self, connection: Connection, paths: Iterable[str]) -> set[str]:
        """The hashes of the sections at some paths that could be read, in part at least."""
        rows = [row for path in paths for row in self._rows.get(path, ())]
        heads = content.load(connection, {row.hash for row in rows if not row.good})
        partial = {hash for hash, head in heads.items() if head["status"] == Status.PARTIAL}
        return partial | {row.hash for row in rows if row.good}

    def _container(self, path: str, moment: datetime) -> str:
        """The container of the report at a moment that a path is inside of, empty for none."""
        there = ((one, self.at(one, moment)) for one in above(path))
        return next((one for one, row in there if row is not None and row.kind == "container"), "")
