"""Applications: which hosts have code, a Python environment or containers of one name."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, or_, select, true

from envparity_server.compare.covering import COVERING
from envparity_server.compare.scope import application_of
from envparity_server.storage.actors import Environments
from envparity_server.storage.tables import host, section_history

_KINDS = ("application", "python", "container")


@dataclass(frozen=True)
class Application:
    """A name, its sections anywhere, and how many hosts of each environment have one of them."""

    name: str
    sections: tuple[str, ...]
    environments: Mapping[str, int]


def every(connection: Connection, seen: Environments = None) -> list[Application]:
    """All applications by name, for somebody who may see these environments."""
    columns = (section_history.c.host_id, section_history.c.path, section_history.c.kind, host.c.environment)
    paths: dict[str, set[str]] = {}
    where: dict[str, set[tuple[str, str]]] = {}
    for row in connection.execute(select(*columns).where(_present(seen), section_history.c.kind.in_(_KINDS))):
        name = application_of(row.path, row.kind)
        if name:
            paths.setdefault(name, set()).add(row.path)
            where.setdefault(name, set()).add((row.environment, row.host_id))
    counted = {name: Counter(environment for environment, _ in there) for name, there in where.items()}
    return [
        Application(name, tuple(sorted(paths[name])), dict(sorted(counted[name].items()))) for name in sorted(paths)
    ]


def names(connection: Connection, seen: Environments = None) -> list[str]:
    """The names alone: what a field offers."""
    query = select(section_history.c.path, section_history.c.kind).distinct()
    rows = connection.execute(query.where(_present(seen), section_history.c.kind.in_(_KINDS)))
    return sorted({application_of(row.path, row.kind) for row in rows} - {""})


def sections(
    connection: Connection, name: str, seen: Environments = None
) -> tuple[dict[str, dict[str, str]], set[str]]:
    """What each host of an application has of it, host id -> path -> hash, and the paths that are the application's.

    The lists that say how complete a host's own is (`python`, `containers`) are among what it has.
    """
    here = or_(
        section_history.c.path.in_((f"app/{name}", f"python/{name}")),
        section_history.c.path.startswith(f"container/{name}", autoescape=True),
    )
    lists = section_history.c.path.in_(sorted(set(COVERING.values())))
    rows = connection.execute(_of(and_(here, section_history.c.kind.in_(_KINDS)), seen))
    trees: dict[str, dict[str, str]] = {}
    for row in rows:
        if application_of(row.path, row.kind) == name:
            trees.setdefault(row.host_id, {})[row.path] = row.hash
    paths = {path for tree in trees.values() for path in tree}
    for row in connection.execute(_of(lists, seen)) if trees else ():
        if row.host_id in trees:
            trees[row.host_id][row.path] = row.hash
    return trees, paths


def _of(which: ColumnElement[bool], seen: Environments) -> Select[Any]:
    columns = (section_history.c.host_id, section_history.c.path, section_history.c.kind, section_history.c.hash)
    return select(*columns).where(_present(seen), which)


def _present(seen: Environments) -> ColumnElement[bool]:
    """The present sections of hosts that are not retired, joined with them."""
    return and_(
        section_history.c.last_seen.is_(None),
        host.c.id == section_history.c.host_id,
        host.c.retired_at.is_(None),
        true() if seen is None else host.c.environment.in_(sorted(seen)),
    )
