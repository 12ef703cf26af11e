"""Content-addressed objects in the database, and fingerprints that open only the pages that a comparison asks for."""

import json
import zlib
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import islice, zip_longest
from threading import Lock
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from cachetools import LRUCache
from sqlalchemy import Connection, Engine, func, select

from envparity_agent.canonical import digest
from envparity_agent.fingerprint import Fingerprint, Items, Section, SectionLike, Status, Target
from envparity_server.storage.tables import content
from envparity_server.storage.upserts import adding

_Row = TypeVar("_Row")
_Key = TypeVar("_Key", bound=Hashable)

Opening = Callable[[Connection, Iterable[str]], dict[str, Any]]

_PRUNING = 0x656E7670  # key of the advisory lock between those who refer to content and who takes it away
_MOST_RECENT = 2_000_000  # values, of about 100 bytes
_recent: WeakKeyDictionary[Engine, LRUCache[str, dict[str, Any]]] = WeakKeyDictionary()  # of each database
_recent_lock = Lock()
_BATCH = 500  # values in one IN (...): SQLite's default limit is 999


def missing(connection: Connection, hashes: Iterable[str]) -> list[str]:
    """Which of the objects are not stored, in the order given, each once."""
    wanted = list(dict.fromkeys(hashes))
    there = kinds(connection, wanted)
    return [hash for hash in wanted if hash not in there]


def store(connection: Connection, objects: Iterable[tuple[str, bytes]], now: datetime) -> None:
    """Store objects, each with its kind (root, section, page); those that are there already stay as they are."""
    found = {digest(body): (kind, body) for kind, body in objects}
    # in one order, so that two agents with the same objects wait for each other instead of both for ever
    rows = [
        {"hash": hash, "kind": kind, "body": zlib.compress(body), "stored_at": now}
        for hash, (kind, body) in sorted(found.items())
    ]
    for batch in batches(rows):
        connection.execute(adding(connection, content), batch)


def load(connection: Connection, hashes: Iterable[str]) -> dict[str, Any]:
    """Objects by hash, decoded; one that is not stored is left out."""
    found: dict[str, Any] = {}
    for batch in batches(list(dict.fromkeys(hashes))):
        for row in connection.execute(select(content.c.hash, content.c.body).where(content.c.hash.in_(batch))):
            found[row.hash] = _opened(row.body)
    return found


def recall(connection: Connection, hashes: Iterable[str]) -> dict[str, Any]:
    """As `load`, for whoever only looks: what was opened lately is not opened again.

    What an address stands for never changes; whether it is still stored is `load`'s and `kinds`' to tell.
    """
    wanted = list(dict.fromkeys(hashes))
    with _recent_lock:
        recent = _recent.setdefault(connection.engine, LRUCache(_MOST_RECENT, _values))
        found = {hash: recent[hash] for hash in wanted if hash in recent}
    opened = load(connection, (hash for hash in wanted if hash not in found))
    with _recent_lock:
        recent.update(opened)
    return found | opened


def _opened(body: bytes) -> dict[str, Any]:
    """An object as `canonical.decode` reads it, without its checks: it passed them when it came."""
    value: dict[str, Any] = json.loads(zlib.decompress(body))
    _freeze(value)
    return value


def _values(opened: dict[str, Any]) -> int:
    """About how many values an object holds: a page has several for each item."""
    return 8 * len(opened.get("items", ())) + 2 * len(opened.get("sections", ())) + 16


def _freeze(value: dict[str, Any]) -> None:
    """Lists become tuples, in place; those of an object hold only texts."""
    for name, inner in value.items():
        kind = type(inner)  # and no isinstance: a vote of 1,000 hosts looks at 100,000 values
        if kind is list:
            value[name] = tuple(inner)
        elif kind is dict:
            _freeze(inner)


def trees(connection: Connection, roots: Iterable[str], opening: Opening = load) -> dict[str, Mapping[str, str]]:
    """The sections of stored roots, root -> path -> hash; one that is not stored is left out.

    `recall` opens the roots of hosts as they are now: those are always stored.
    """
    tops = opening(connection, roots)
    parts = opening(connection, (part for top in tops.values() for part in top.get("parts", ())))
    return {
        root: {path: hash for part in top["parts"] for path, hash in parts[part]["sections"].items()}
        if "parts" in top
        else top["sections"]
        for root, top in tops.items()
    }


def kinds(connection: Connection, hashes: Iterable[str]) -> dict[str, str]:
    """What stored objects are, by hash; one that is not stored is left out."""
    found: dict[str, str] = {}
    for batch in batches(list(dict.fromkeys(hashes))):
        rows = connection.execute(select(content.c.hash, content.c.kind).where(content.c.hash.in_(batch)))
        found.update((row.hash, row.kind) for row in rows)
    return found


def hold(connection: Connection) -> None:
    """Keep what is stored from being pruned until the transaction ends: for whoever is about to refer to it.

    SQLite has one writer, and needs none of it.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock_shared(_PRUNING)))


def hold_alone(connection: Connection) -> None:
    """Wait until nobody holds what is stored, and keep everybody from it until the transaction ends."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_PRUNING)))


def batches(values: list[_Row]) -> Iterator[list[_Row]]:
    """Values in lists that are short enough for one IN (...)."""
    iterator = iter(values)
    while batch := list(islice(iterator, _BATCH)):
        yield batch


class Pages:
    """Pages that are read from the database when they are asked for, each once however many sections share it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._held: dict[str, Items] = {}

    def items(self, hashes: Iterable[str]) -> list[Items]:
        """The items of pages, those that are not held yet in one query."""
        wanted = list(hashes)
        lacking = [hash for hash in wanted if hash not in self._held]
        if lacking:
            self._held.update((hash, page["items"]) for hash, page in recall(self._connection, lacking).items())
        return [self._held[hash] for hash in wanted]


@dataclass(frozen=True)
class StoredSection:
    """A section whose items are read from the database when they are asked for."""

    pages: Pages
    path: str
    hash: str
    head: Mapping[str, Any]

    @cached_property
    def kind(self) -> str:
        """Which of `kinds.KINDS` it is."""
        return str(self.head["kind"])

    @cached_property
    def schema(self) -> int:
        """The version of its kind's schema."""
        return int(self.head["schema"])

    @cached_property
    def status(self) -> Status:
        """How much of it could be read."""
        return Status(self.head["status"])

    @cached_property
    def reasons(self) -> tuple[str, ...]:
        """Why not all of it."""
        return tuple(self.head["reasons"])

    @cached_property
    def page_hashes(self) -> tuple[str, ...]:
        """The content addresses of its pages, by position."""
        return tuple(self.head["pages"])

    @cached_property
    def count(self) -> int:
        """How many items it has."""
        return int(self.head["count"])

    def page(self, position: int) -> Items:
        """The items of one page."""
        return self.pages.items([self.page_hashes[position]])[0]

    @cached_property
    def items(self) -> Items:
        """All items, in one query."""
        return {name: body for page in self.pages.items(self.page_hashes) for name, body in page.items()}


@dataclass(frozen=True)
class StoredFingerprint:
    """A fingerprint in the database; valid as long as its connection's transaction."""

    target: Target
    taken_at: str
    sections: Mapping[str, StoredSection]


def stored(connection: Connection, trees: Mapping[_Key, Mapping[str, str]]) -> dict[_Key, dict[str, StoredSection]]:
    """The sections of each tree (path -> hash), with few queries however many trees there are."""
    heads = recall(connection, (hash for tree in trees.values() for hash in tree.values()))
    pages = Pages(connection)
    shared: dict[tuple[str, str], StoredSection] = {}
    for tree in trees.values():
        for path, hash in tree.items():
            if (path, hash) not in shared:
                shared[path, hash] = StoredSection(pages, path, hash, heads[hash])
    return {key: {path: shared[path, hash] for path, hash in tree.items()} for key, tree in trees.items()}


def open_differing(trees: Collection[Mapping[str, SectionLike]], whole: bool = True) -> None:
    """Read in few queries the pages of the paths whose sections differ: what a vote or a comparison looks at.

    Not `whole`: without the pages that all sections of a path share.
    """
    sections: dict[str, dict[str, SectionLike]] = {}
    for tree in trees:
        for path, section in tree.items():
            sections.setdefault(path, {})[section.hash] = section
    wanted: dict[Pages, dict[str, None]] = {}
    for alternatives in sections.values():
        if len(alternatives) == 1:
            continue
        for place in zip_longest(*(one.page_hashes for one in alternatives.values())):
            if not whole and len(set(place)) == 1:
                continue
            for section, hash in zip(alternatives.values(), place, strict=True):
                if hash and isinstance(section, StoredSection):
                    wanted.setdefault(section.pages, {})[hash] = None
    for pages, own in wanted.items():
        pages.items(own)


def open_wholly(sections: Iterable[StoredSection]) -> None:
    """Read in few queries all pages of some sections: what a page is about to show of each."""
    wanted: dict[Pages, dict[str, None]] = {}
    for one in sections:
        wanted.setdefault(one.pages, {}).update(dict.fromkeys(one.page_hashes))
    for pages, hashes in wanted.items():
        pages.items(hashes)


def detached(target: Target, taken_at: str, sections: Mapping[str, Any]) -> Fingerprint:
    """A fingerprint in memory, every page opened: what leaves the server as a document."""
    return Fingerprint(
        target,
        taken_at,
        {
            path: Section(path, one.kind, one.schema, one.items, one.status, one.reasons)
            for path, one in sections.items()
        },
    )
