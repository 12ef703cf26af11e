"""The contract between agent and server: sections of items, their pages, canonical JSON and hashes.

A fingerprint is a tree of content-addressed objects, each the canonical JSON of one of these:

    root     {"sections": {PATH: HASH}}, or {"parts": [HASH]} of such objects where there are many sections
    section  {"count", "kind", "pages": [HASH], "reasons", "schema", "status"}
    page     {"items": {ITEM: {ATTRIBUTE: VALUE}}}

The hash of an object is the SHA-256 of its bytes, so equal hashes mean equal facts.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from functools import cached_property
from typing import Any, Protocol, TypeAlias, TypeVar

from envparity_agent.canonical import canonical, digest

Value: TypeAlias = str | int | bool | tuple[str, ...] | None
Attributes: TypeAlias = Mapping[str, Value]
Items: TypeAlias = Mapping[str, Attributes]
_Entry = TypeVar("_Entry")

DOCUMENT_SCHEMA = 1
PAGE_ITEMS = 64  # a section of up to this many items is one page, a larger one is this many pages
MAX_ITEMS = 50_000
MAX_STRING = 1024

SPLIT = "split"  # the attribute of an item on which no majority of hosts agrees; holds what they have


def as_texts(value: object) -> tuple[str, ...]:
    """The texts of a value that is a list of them; none of any other."""
    return value if isinstance(value, tuple) else ()


class Status(StrEnum):
    """How much of a section could be read; what could not be read is never the same as what is not there."""

    OK = "ok"
    PARTIAL = "partial"
    FAILED = "failed"
    ABSENT = "absent"


class Reason(StrEnum):
    """Why a section is not `ok`."""

    CAP = "cap"  # a limit of count, size or time was reached
    CONSENT = "consent"  # the host's operator does not allow it
    DECLARED = "declared"  # the file declares only a part: what it is based on brings more
    ERROR = "error"  # the collector itself failed
    INVALID = "invalid"  # what was read does not follow its format
    NO_KEY = "no-key"  # values are not told, as there is no key to hash them with
    NOT_INSTALLED = "not-installed"  # looked for, and there is none
    NOT_REGULAR = "not-regular"  # not a regular file: a FIFO, a device, a directory
    PERMISSION = "permission"
    SYMLINKS = "symlinks"  # a loop, or a link that leaves the root
    TIMEOUT = "timeout"
    UNREACHABLE = "unreachable"
    UNSUPPORTED = "unsupported"
    VANISHED = "vanished"  # was there when the scan began


@dataclass(frozen=True)
class Page:
    """A part of a section: the unit that is hashed, sent, stored and compared."""

    items: Items

    @cached_property
    def body(self) -> bytes:
        """The page's canonical JSON."""
        return canonical({"items": self.items})

    @cached_property
    def hash(self) -> str:
        """Its content address."""
        return digest(self.body)


def paginate(items: Items) -> tuple[Page, ...]:
    """Split items into one page, or by the first six bits of SHA-256(item name) into 64 pages."""
    if len(items) <= PAGE_ITEMS:
        return (Page(items),)
    return tuple(Page(bucket) for bucket in _bucketed(items))


def position_of(item: str, pages: int) -> int:
    """On which of a section's pages an item stands, if it is there."""
    return 0 if pages == 1 else hashlib.sha256(item.encode()).digest()[0] >> 2


def _bucketed(entries: Mapping[str, _Entry]) -> list[dict[str, _Entry]]:
    """Spread named entries over 64 buckets by the first six bits of SHA-256(name)."""
    buckets: list[dict[str, _Entry]] = [{} for _ in range(PAGE_ITEMS)]
    for name, entry in entries.items():
        buckets[position_of(name, PAGE_ITEMS)][name] = entry
    return buckets


class SectionLike(Protocol):
    """What a comparison needs of a section, be it in memory or in a store."""

    @property
    def path(self) -> str:
        """Where it stands in its fingerprint."""

    @property
    def kind(self) -> str:
        """Which of `kinds.KINDS` it is."""

    @property
    def schema(self) -> int:
        """The version of its kind's schema."""

    @property
    def status(self) -> Status:
        """How much of it could be read."""

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why not all of it."""

    @property
    def hash(self) -> str:
        """Its content address."""

    @property
    def page_hashes(self) -> tuple[str, ...]:
        """The content addresses of its pages, by position."""

    @property
    def count(self) -> int:
        """How many items it has."""

    @property
    def items(self) -> Items:
        """All of them; in a store this opens every page."""

    def page(self, position: int) -> Items:
        """The items of one page."""


def in_words(section: SectionLike) -> str:
    """How much of a section could be read, and why not all: `failed(permission)`."""
    return f"{section.status}({', '.join(section.reasons)})" if section.reasons else str(section.status)


class FingerprintLike(Protocol):
    """What a comparison needs of a fingerprint."""

    @property
    def target(self) -> "Target":
        """What was fingerprinted."""

    @property
    def taken_at(self) -> str:
        """When, as ISO 8601 in UTC."""

    @property
    def sections(self) -> Mapping[str, SectionLike]:
        """Its sections by path."""


@dataclass(frozen=True)
class Section:
    """One part of a fingerprint; `observed` is what moves by itself: sent beside it, never hashed or compared."""

    path: str
    kind: str
    schema: int
    items: Items = field(default_factory=dict)
    status: Status = Status.OK
    reasons: tuple[str, ...] = ()
    observed: Attributes = field(default_factory=dict, compare=False)

    @cached_property
    def pages(self) -> tuple[Page, ...]:
        """The items in pages, in the order of their positions."""
        return paginate(self.items)

    @property
    def page_hashes(self) -> tuple[str, ...]:
        """The hashes of the pages, in order."""
        return tuple(page.hash for page in self.pages)

    @property
    def count(self) -> int:
        """How many items there are."""
        return len(self.items)

    def page(self, position: int) -> Items:
        """The items of one page."""
        return self.pages[position].items

    @cached_property
    def body(self) -> bytes:
        """The section's canonical JSON: what its hash is taken over."""
        return canonical(
            {
                "count": self.count,
                "kind": self.kind,
                "pages": self.page_hashes,
                "reasons": sorted(set(self.reasons)),
                "schema": self.schema,
                "status": self.status,
            }
        )

    @cached_property
    def hash(self) -> str:
        """Its content address."""
        return digest(self.body)


@dataclass(frozen=True)
class Target:
    """What was fingerprinted: its kind (host, environment, root, container, python, declared, ...) and name."""

    kind: str
    name: str


@dataclass(frozen=True)
class Fingerprint:
    """An immutable document about one target at one time.

    `identity` is unique by nature (host name, machine id) and kept, but never hashed or compared.
    `taken_at` is the agent's clock, ISO 8601 in UTC: for people, never for ordering.
    """

    target: Target
    taken_at: str
    sections: Mapping[str, Section]
    identity: Attributes = field(default_factory=dict, compare=False)
    timings: Attributes = field(default_factory=dict, compare=False)

    @cached_property
    def _parts(self) -> tuple[bytes, ...]:
        """The sections' paths and hashes, in one object or, where there are many, in 64 as the items of a section."""
        hashes = {path: section.hash for path, section in self.sections.items()}
        parts = [hashes] if len(hashes) <= PAGE_ITEMS else _bucketed(hashes)
        return tuple(canonical({"sections": part}) for part in parts)

    @cached_property
    def body(self) -> bytes:
        """The root object's canonical JSON."""
        parts = self._parts
        return parts[0] if len(parts) == 1 else canonical({"parts": [digest(part) for part in parts]})

    @cached_property
    def root(self) -> str:
        """The root hash: equal for equal facts."""
        return digest(self.body)

    @property
    def observed(self) -> dict[str, Attributes]:
        """What moves by itself, by section path, and how long each collector took."""
        moving = {path: section.observed for path, section in self.sections.items() if section.observed}
        return {**moving, "survey": self.timings} if self.timings else moving

    def objects(self) -> dict[str, bytes]:
        """Every object of the tree by its hash, the root first."""
        found = {self.root: self.body, **{digest(part): part for part in self._parts}}
        for section in self.sections.values():
            found[section.hash] = section.body
            found.update((page.hash, page.body) for page in section.pages)
        return found

    def document(self) -> dict[str, Any]:
        """The JSON document that `envparity show --json` prints and that a fingerprint file holds."""
        return {
            "schema": DOCUMENT_SCHEMA,
            "target": {"kind": self.target.kind, "name": self.target.name},
            "taken_at": self.taken_at,
            "root": f"sha256:{self.root}",
            "identity": self.identity,
            "observed": {"survey": self.timings} if self.timings else {},
            "sections": {path: _section_document(section) for path, section in sorted(self.sections.items())},
        }


def _section_document(section: Section) -> dict[str, Any]:
    return {
        "kind": section.kind,
        "schema": section.schema,
        "status": str(section.status),
        "reasons": sorted(set(section.reasons)),
        "hash": f"sha256:{section.hash}",
        "observed": section.observed,
        "items": section.items,
    }


def clean(items: Iterable[tuple[str, Attributes]]) -> dict[str, Attributes]:
    """Make what was read fit the contract: text capped, and bytes that are not UTF-8 shown by their escapes."""
    return {clean_text(name): clean_attributes(body) for name, body in items}


def clean_attributes(attributes: Attributes) -> dict[str, Value]:
    """Make the attributes of one item fit the contract."""
    return {key: _clean_value(value) for key, value in attributes.items()}


def _clean_value(value: Value) -> Value:
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, tuple):
        return tuple(sorted({clean_text(part) for part in value}))
    return value


def clean_text(text: str) -> str:
    """Make one text fit the contract; one that is cut ends in a hash of it: two that only begin alike are unequal."""
    # no copy of what is ASCII, as nearly everything is: a host with 10,000 environments has many megabytes of texts
    shown = text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")
    if len(shown) <= MAX_STRING:
        return shown
    mark = f"…{digest(shown.encode())[:16]}"
    return shown[: MAX_STRING - len(mark)] + mark


def now() -> str:
    """The present moment in UTC, as ISO 8601 to the second."""
    return datetime.now(UTC).replace(microsecond=0).isoformat()
