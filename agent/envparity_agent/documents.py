"""Validates what comes from elsewhere against the contract: documents, and the objects of a fingerprint's tree."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from envparity_agent.canonical import decode
from envparity_agent.errors import InvalidDocument
from envparity_agent.fingerprint import (
    DOCUMENT_SCHEMA,
    MAX_ITEMS,
    MAX_STRING,
    PAGE_ITEMS,
    Attributes,
    Fingerprint,
    Items,
    Section,
    Status,
    Target,
)

_DIGEST = re.compile("[0-9a-f]{64}")


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


@dataclass(frozen=True)
class Object:
    """What one object of a fingerprint's tree is, and the hashes that it refers to."""

    kind: str  # root (or a part of one), section or page
    references: tuple[str, ...] = ()


def examined(body: bytes) -> Object:
    """Validate one object as it was received; raises InvalidDocument."""
    value = _mapping(decode(body), "an object")
    if sum(name in value for name in ("items", "pages", "parts", "sections")) != 1:
        raise InvalidDocument("an object is a root or a part of one, a section or a page, and only one of them")
    if "items" in value:
        check_items(value["items"], "a page")
        return Object("page")
    if "sections" in value:
        sections = _mapping(value["sections"], "a root")
        return Object("root", tuple(_hash(hash, _text(path, "a section path")) for path, hash in sections.items()))
    if "parts" in value:
        return Object("root", _hashes(value["parts"], (PAGE_ITEMS,), "a root: parts"))
    check_section(value, "a section")
    return Object("section", _hashes(value["pages"], (1, PAGE_ITEMS), "a section: pages"))


def _hashes(value: Any, counts: tuple[int, ...], where: str) -> tuple[str, ...]:
    if not isinstance(value, tuple) or len(value) not in counts:
        raise InvalidDocument(f"{where} is not a list of {' or '.join(map(str, counts))} hashes")
    return tuple(_hash(hash, where) for hash in value)


def _hash(value: Any, where: str) -> str:
    if not isinstance(value, str) or not _DIGEST.fullmatch(value):
        raise InvalidDocument(f"{where}: not a SHA-256")
    return value
