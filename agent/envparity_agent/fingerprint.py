"""The contract between agent and server: sections of items, their pages, canonical JSON and hashes.

A fingerprint is a tree of content-addressed objects, each the canonical JSON of one of these:

    root     {"sections": {PATH: HASH}}
    section  {"count", "kind", "pages": [HASH], "reasons", "schema", "status"}
    page     {"items": {ITEM: {ATTRIBUTE: VALUE}}}

The hash of an object is the SHA-256 of its bytes, so equal hashes mean equal facts.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any, Protocol, TypeAlias

from envparity_agent.errors import InvalidDocument

Value: TypeAlias = str | int | bool | tuple[str, ...] | None
Attributes: TypeAlias = Mapping[str, Value]
Items: TypeAlias = Mapping[str, Attributes]

DOCUMENT_SCHEMA = 1
PAGE_ITEMS = 64  # a section of up to this many items is one page, a larger one is this many pages
MAX_ITEMS = 50_000
MAX_STRING = 1024
MAX_DEPTH = 32
MAX_INTEGER = 2**63 - 1

SPLIT = "split"  # the attribute of an item on which no majority of hosts agrees; holds what they have


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
    ERROR = "error"  # the collector itself failed
    INVALID = "invalid"  # what was read does not follow its format
    NOT_INSTALLED = "not-installed"  # looked for, and there is none
    NOT_REGULAR = "not-regular"  # not a regular file: a FIFO, a device, a directory
    PERMISSION = "permission"
    SYMLINKS = "symlinks"  # a loop, or a link that leaves the root
    TIMEOUT = "timeout"
    UNREACHABLE = "unreachable"
    UNSUPPORTED = "unsupported"
    VANISHED = "vanished"  # was there when the scan began


def canonical(value: Any) -> bytes:
    """The one JSON text of a value: sorted keys, no spaces, UTF-8.

    Raises ValueError for what has none: floats, lone surrogates.
    """
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False, default=_refuse
    ).encode()


def _refuse(value: object) -> None:
    raise ValueError(f"{type(value).__name__} has no canonical JSON")


def digest(body: bytes) -> str:
    """SHA-256 of an object's bytes, as 64 hexadecimal digits."""
    return hashlib.sha256(body).hexdigest()


def decode(body: bytes) -> Any:
    """Parse JSON strictly: no floats, no duplicate keys, bounded depth and integers; lists become tuples.

    Raises InvalidDocument; the stdlib's defaults accept NaN, duplicate keys and lone surrogates.
    """
    try:
        parsed = json.loads(
            body.decode("utf-8"), object_pairs_hook=_unique, parse_float=_no_float, parse_constant=_no_float
        )
        return _bounded(parsed, MAX_DEPTH)
    except (ValueError, RecursionError) as problem:
        raise InvalidDocument(f"not a valid JSON document: {problem}") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    keys = dict(pairs)
    if len(keys) != len(pairs):
        raise ValueError("a key occurs twice")
    return keys


def _no_float(text: str) -> None:
    raise ValueError(f"{text[:20]} is not an integer")


def _bounded(value: Any, depth: int) -> Any:
    if depth == 0:
        raise ValueError(f"nested deeper than {MAX_DEPTH}")
    if isinstance(value, dict):
        return {_bounded(key, depth): _bounded(inner, depth - 1) for key, inner in value.items()}
    if isinstance(value, list):
        return tuple(_bounded(inner, depth - 1) for inner in value)
    if isinstance(value, str):
        value.encode()  # UnicodeEncodeError, a ValueError, on lone surrogates
    elif isinstance(value, int) and abs(value) > MAX_INTEGER:
        raise ValueError("an integer is larger than 64 bits")
    return value


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
    buckets: list[dict[str, Attributes]] = [{} for _ in range(PAGE_ITEMS)]
    for name, attributes in items.items():
        buckets[hashlib.sha256(name.encode()).digest()[0] >> 2][name] = attributes
    return tuple(Page(bucket) for bucket in buckets)


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
    """What was fingerprinted: its kind (host, root, container, python, declared, selector) and its name."""

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
    def body(self) -> bytes:
        """The root object's canonical JSON."""
        return canonical({"sections": {path: section.hash for path, section in self.sections.items()}})

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
        found = {self.root: self.body}
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


def from_document(document: Any) -> Fingerprint:
    """Read a fingerprint document, unknown fields ignored; raises InvalidDocument, also where the hash does not fit."""
    top = _mapping(document, "the document")
    if type(top.get("schema")) is not int or top["schema"] != DOCUMENT_SCHEMA:
        raise InvalidDocument(
            f"not a fingerprint of schema {DOCUMENT_SCHEMA}", "make one with: envparity show --json > FILE"
        )
    target = _mapping(top.get("target"), "target")
    sections = {
        _text(path, "a section path"): _read_section(path, _mapping(body, path))
        for path, body in _mapping(top.get("sections"), "sections").items()
    }
    observed = _mapping(top.get("observed", {}), "observed")
    fingerprint = Fingerprint(
        target=Target(_text(target.get("kind"), "target.kind"), _text(target.get("name"), "target.name")),
        taken_at=_text(top.get("taken_at"), "taken_at"),
        sections=sections,
        identity=check_attributes(top.get("identity", {}), "identity"),
        timings=check_attributes(observed.get("survey", {}), "observed.survey"),
    )
    if top.get("root") != f"sha256:{fingerprint.root}":
        raise InvalidDocument("its root hash does not fit its content: the fingerprint was changed after it was taken")
    return fingerprint


def _read_section(path: str, body: Mapping[str, Any]) -> Section:
    head = check_section({**body, "count": 0, "pages": ()}, path)
    return Section(
        path=path,
        kind=head["kind"],
        schema=head["schema"],
        status=Status(head["status"]),
        reasons=head["reasons"],
        items=check_items(body.get("items"), path),
        observed=check_attributes(body.get("observed", {}), path),
    )


def check_section(body: Mapping[str, Any], where: str) -> Mapping[str, Any]:
    """Validate a decoded section object and return it; raises InvalidDocument."""
    _text(body.get("kind"), f"{where}: kind")
    schema = body.get("schema")
    if type(schema) is not int or not 1 <= schema < 1000:
        raise InvalidDocument(f"{where}: schema is not a version number")
    if body.get("status") not in tuple(Status):  # a tuple: what was sent may have no hash
        raise InvalidDocument(f"{where}: unknown status")
    if type(body.get("count")) is not int or not 0 <= body["count"] <= MAX_ITEMS:
        raise InvalidDocument(f"{where}: count is not a number of items")
    for name in ("reasons", "pages"):
        if not isinstance(body.get(name), tuple):
            raise InvalidDocument(f"{where}: {name} is not a list")
        for entry in body[name]:
            _text(entry, f"{where}: {name}")
    return body


def check_items(value: Any, where: str) -> Items:
    """Validate a decoded `item -> {attribute: value}` and return it; raises InvalidDocument."""
    items = _mapping(value, f"{where}: items")
    if len(items) > MAX_ITEMS:
        raise InvalidDocument(f"{where}: more than {MAX_ITEMS} items")
    return {
        _text(name, f"{where}: an item"): check_attributes(body, f"{where}: {name}") for name, body in items.items()
    }


def check_attributes(value: Any, where: str) -> Attributes:
    """Validate a decoded `attribute -> value` and return it; raises InvalidDocument."""
    attributes = _mapping(value, where)
    for name, inner in attributes.items():
        _text(name, f"{where}: an attribute")
        for part in inner if isinstance(inner, tuple) else (inner,):
            if isinstance(part, str):
                _text(part, f"{where}: {name}")
            elif isinstance(inner, tuple) or not (part is None or isinstance(part, int)):
                raise InvalidDocument(f"{where}: {name} is not text, a number, true, false, null or a list of text")
    return attributes


def _mapping(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise InvalidDocument(f"{where} is not an object")
    return value


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str) or len(value) > MAX_STRING:
        raise InvalidDocument(f"{where} is not a text of at most {MAX_STRING} characters")
    return value


def references(body: bytes) -> tuple[str, ...]:
    """Validate one object as it was received and return the hashes that it refers to; raises InvalidDocument."""
    value = _mapping(decode(body), "an object")
    if sum(name in value for name in ("items", "pages", "sections")) != 1:
        raise InvalidDocument("an object is a root, a section or a page, and only one of them")
    if "items" in value:
        check_items(value["items"], "a page")
        return ()
    if "sections" in value:
        sections = _mapping(value["sections"], "a root")
        return tuple(_text(hash, _text(path, "a section path")) for path, hash in sections.items())
    return tuple(check_section(value, "a section")["pages"])


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
    """Make one text fit the contract."""
    shown = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return shown if len(shown) <= MAX_STRING else shown[: MAX_STRING - 1] + "…"
