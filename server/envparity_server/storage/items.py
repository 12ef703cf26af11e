"""The index of what is in use: which item, in which version, is in a section that some host has now, and since when."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, Table, func, or_, select

from envparity_agent.canonical import digest
from envparity_agent.errors import UsageError
from envparity_agent.fingerprint import Attributes
from envparity_server.compare.differences import leading
from envparity_server.compare.groups import text
from envparity_server.storage import content
from envparity_server.storage.actors import Environments
from envparity_server.storage.content import batches
from envparity_server.storage.tables import change, host, page_item, section_history, section_page
from envparity_server.storage.upserts import adding

_LONGEST_KEY = 512  # bytes: PostgreSQL's index takes rows of at most 2,704
_WILDCARDS = "*?"
_SHORTEST_GLOB = 2  # letters: a fleet of 1,000 hosts has millions of items


@dataclass(frozen=True)
class Holding:
    """A host that has an item now; `since` is (last report without it as it is, first report with it).

    Where it was so in the first report that is kept of its section, `after` is None. A `shadowed` item (requests#lib)
    is there, and is not what imports.
    """

    host_id: str
    host: str
    environment: str
    section: str
    kind: str
    item: str
    value: str | None
    since: tuple[datetime | None, datetime]
    shadowed: bool


@dataclass(frozen=True)
class InUse:
    """A value of an item that hosts have now: how many hosts of each environment."""

    item: str
    kind: str
    value: str | None
    hosts: dict[str, int]
    shadowed: bool


def key_of(name: str) -> str:
    """A text as an index can hold it: a long one is cut and ends in its hash, and NUL is a character that shows."""
    shown = name.replace("\0", "\N{SYMBOL FOR NULL}")
    encoded = shown.encode()
    if len(encoded) <= _LONGEST_KEY:
        return shown
    return f"{encoded[: _LONGEST_KEY - 40].decode('utf-8', 'ignore')}…{digest(encoded)[:16]}"


def matching(connection: Connection, column: ColumnElement[str], pattern: str) -> ColumnElement[bool]:
    """Whether a column is a text, or fits a glob of `*` and `?`; capital letters count."""
    if not any(one in pattern for one in _WILDCARDS):
        return column == key_of(pattern)
    return _fits(connection, column, pattern)


def _fits(connection: Connection, column: ColumnElement[str], glob: str) -> ColumnElement[bool]:
    if connection.dialect.name == "sqlite":  # its LIKE takes capital letters for small ones
        return column.op("GLOB", is_comparison=True)(glob.replace("[", "[[]").replace("\0", "\N{SYMBOL FOR NULL}"))
    plain = glob.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_").replace("\0", "\N{SYMBOL FOR NULL}")
    return column.like(plain.replace("*", "%").replace("?", "_"), escape="\\")


def index(connection: Connection, sections: Iterable[str]) -> None:
    """Put what new sections hold into the index; one that is there already stays as it is.

    Rows go in by table and key in one order, so that two reports with the same sections wait for each other instead of
    both for ever.
    """
    heads = content.load(connection, _lacking(connection, section_page.c.section, sections))
    rows = sorted({(section, page) for section, head in heads.items() for page in head["pages"]})
    pages = _lacking(connection, section_page.c.page, (page for _, page in rows))
    _add(connection, section_page, [{"section": section, "page": page} for section, page in rows])
    for batch in batches(pages):
        items = [
            {"page": page, "name": name, "value": value}
            for page, body in sorted(content.load(connection, batch).items())
            for name, value in sorted({key_of(name): value_of(its) for name, its in body["items"].items()}.items())
        ]
        _add(connection, page_item, items)


def _lacking(connection: Connection, column: ColumnElement[str], hashes: Iterable[str]) -> list[str]:
    """Those that the index does not have in a column, in their order."""
    wanted = sorted(set(hashes))
    there: set[str] = set()
    for batch in batches(wanted):
        there.update(connection.scalars(select(column).where(column.in_(batch)).distinct()))
    return [hash for hash in wanted if hash not in there]


def _add(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    for batch in batches(rows):
        connection.execute(adding(connection, table), batch)


def value_of(attributes: Attributes) -> str | None:
    """What tells most of an item: its version, else what a difference would show."""
    name = leading(attributes)
    return key_of(text(attributes[name])) if name and attributes[name] is not None else None


def having(
    connection: Connection,
    item: str,
    value: str | None = None,
    seen: Environments = None,
    kind: str = "",
    limit: int = 1000,
    offset: int = 0,
    section: str = "",
) -> tuple[list[Holding], int]:
    """Who has an item now (by its name, or a glob of `*` and `?`), in that value if asked for, and how many in all.

    By environment, host, section and item; of a Python distribution its shadowed copies as well, told as such.
    """
    wanted = _in_use(connection, item, value, seen, kind, section)
    total = connection.scalar(select(func.count()).select_from(wanted.subquery())) or 0
    ordered = wanted.order_by(host.c.environment, host.c.name, host.c.id, section_history.c.path, page_item.c.name)
    rows = connection.execute(ordered.limit(limit).offset(offset)).all()
    changed = _changed(connection, rows)
    begun = _begun(connection, [row for row in rows if _key(row) not in changed])
    found = [
        Holding(
            row.id, row.host, row.environment, row.path, row.kind, row.item, row.value,
            changed.get(_key(row)) or (None, begun[row.id, row.path]), _is_shadowed(row),
        )
        for row in rows
    ]  # fmt: skip
    return found, total


def values(
    connection: Connection, item: str, seen: Environments = None, kind: str = "", limit: int = 1000
) -> tuple[list[InUse], int]:
    """Every value of an item (by its name, or a glob) that is in use, with its hosts by environment, and how many."""
    wanted = _in_use(connection, item, None, seen, kind).subquery()
    by = wanted.c.item, wanted.c.kind, wanted.c.value
    rows = connection.execute(
        select(*by, wanted.c.environment, func.count(wanted.c.id.distinct()).label("hosts"))
        .group_by(*by, wanted.c.environment)
        .order_by(*by, wanted.c.environment)
    )
    found: dict[tuple[str, str, str | None], InUse] = {}
    for row in rows:
        key = (row.item, row.kind, row.value)
        if key not in found:
            found[key] = InUse(row.item, row.kind, row.value, {}, _is_shadowed(row))
        found[key].hosts[row.environment] = row.hosts
    return list(found.values())[:limit], len(found)


def _in_use(
    connection: Connection, item: str, value: str | None, seen: Environments, kind: str, section: str = ""
) -> Select[tuple[Any, ...]]:
    """Each item of each present section of each host that is not retired; raises UsageError for too wide a glob."""
    if len(item.strip(_WILDCARDS)) < _SHORTEST_GLOB and any(one in item for one in _WILDCARDS):
        raise UsageError(f"{item!r} fits nearly every item", f"give at least {_SHORTEST_GLOB} letters of its name")
    exact = matching(connection, page_item.c.name, item)
    where: list[ColumnElement[bool]] = [section_history.c.last_seen.is_(None), host.c.retired_at.is_(None)]
    if any(one in item for one in _WILDCARDS):
        where.append(exact)
    else:  # each condition on one table, so that its index is used
        where.append(or_(exact, _fits(connection, page_item.c.name, f"{key_of(item)}#*")))
        where.append(or_(exact, section_history.c.kind == "python"))
    if value is not None:
        where.append(page_item.c.value == key_of(value))
    if kind:
        where.append(section_history.c.kind == kind)
    if section:
        where.append(section_history.c.path == section)
    if seen is not None:
        where.append(host.c.environment.in_(sorted(seen)))
    return (
        select(
            host.c.id, host.c.name.label("host"), host.c.environment, section_history.c.path, section_history.c.kind,
            page_item.c.name.label("item"), page_item.c.value,
        )
        .join_from(page_item, section_page, section_page.c.page == page_item.c.page)
        .join(section_history, section_history.c.hash == section_page.c.section)
        .join(host, host.c.id == section_history.c.host_id)
        .where(*where)
    )  # fmt: skip


def _is_shadowed(row: Row[Any]) -> bool:
    return row.kind == "python" and "#" in row.item


def _key(row: Row[Any]) -> tuple[str, str, str]:
    return row.id, row.path, row.item


def _changed(
    connection: Connection, rows: Iterable[Row[Any]]
) -> dict[tuple[str, str, str], tuple[datetime | None, datetime]]:
    """When each item last changed on its host, or its section as a whole."""
    held = list(rows)
    newest: dict[tuple[str, str, str], tuple[int, datetime, datetime]] = {}
    for host_ids in batches(sorted({row.id for row in held})):
        for names in batches(sorted({"", *(row.item for row in held)})):
            of = change.c.host_id.in_(host_ids), change.c.item.in_(names)
            last = select(func.max(change.c.id)).where(*of).group_by(change.c.host_id, change.c.section, change.c.item)
            for one in connection.execute(select(change).where(change.c.id.in_(last))):
                newest[one.host_id, one.section, one.item] = one.id, one.after, one.before
    found: dict[tuple[str, str, str], tuple[datetime | None, datetime]] = {}
    for row in held:
        told = [newest[key] for key in ((row.id, row.path, row.item), (row.id, row.path, "")) if key in newest]
        if told:
            _, after, before = max(told)
            found[_key(row)] = after, before
    return found


def _begun(connection: Connection, rows: Iterable[Row[Any]]) -> dict[tuple[str, str], datetime]:
    """The first report that is kept of each section of each host."""
    found: dict[tuple[str, str], datetime] = {}
    wanted = list(rows)
    for host_ids in batches(sorted({row.id for row in wanted})):
        for paths in batches(sorted({row.path for row in wanted})):
            first = (
                select(section_history.c.host_id, section_history.c.path, func.min(section_history.c.first_seen))
                .where(section_history.c.host_id.in_(host_ids), section_history.c.path.in_(paths))
                .group_by(section_history.c.host_id, section_history.c.path)
            )
            found.update({(host_id, path): moment for host_id, path, moment in connection.execute(first)})
    return found
