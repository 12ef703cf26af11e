"""The JSON Schema of a fingerprint document, generated from the contract, so that what is promised is what is."""

from typing import Any

from envparity_agent.canonical import MAX_INTEGER
from envparity_agent.fingerprint import DOCUMENT_SCHEMA, MAX_ITEMS, MAX_STRING, SPLIT, Status
from envparity_agent.kinds import KINDS

_TEXT = {"type": "string", "maxLength": MAX_STRING}
_HASH = {"type": "string", "pattern": "^sha256:[0-9a-f]{64}$"}


def fingerprint() -> dict[str, Any]:
    """The schema, draft 2020-12; unknown fields are allowed, since a newer agent may send more."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "envparity fingerprint",
        "description": "An immutable document about one target at one time: `envparity show --json`.",
        "type": "object",
        "required": ["schema", "target", "taken_at", "root", "sections"],
        "properties": {
            "schema": {"const": DOCUMENT_SCHEMA},
            "target": {"type": "object", "required": ["kind", "name"], "properties": {"kind": _TEXT, "name": _TEXT}},
            "taken_at": {"type": "string", "format": "date-time"},
            "root": _HASH,
            "identity": {"$ref": "#/$defs/attributes"},
            "observed": {"type": "object", "additionalProperties": {"$ref": "#/$defs/attributes"}},
            "sections": {"type": "object", "additionalProperties": {"$ref": "#/$defs/section"}},
        },
        "$defs": {
            "section": _section(),
            "attributes": {"type": "object", "additionalProperties": {"$ref": "#/$defs/value"}},
            "value": {
                "anyOf": [
                    _TEXT,
                    {"type": "integer", "minimum": -MAX_INTEGER, "maximum": MAX_INTEGER},
                    {"type": ["boolean", "null"]},
                    {"type": "array", "items": _TEXT, "uniqueItems": True},
                ]
            },
            **{f"{kind}-{version}": _items(kind, version) for kind, version in KINDS},
        },
    }


def _section() -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["kind", "schema", "status", "reasons", "hash", "items"],
        "properties": {
            "kind": _TEXT,
            "schema": {"type": "integer", "minimum": 1},
            "status": {"enum": [str(status) for status in Status]},
            "reasons": {"type": "array", "items": _TEXT},
            "hash": _HASH,
            "observed": {"$ref": "#/$defs/attributes"},
            "items": {
                "type": "object",
                "maxProperties": MAX_ITEMS,
                "additionalProperties": {"$ref": "#/$defs/attributes"},
            },
        },
        "allOf": [
            {
                "if": {"properties": {"kind": {"const": kind}, "schema": {"const": version}}},
                "then": {"properties": {"items": {"$ref": f"#/$defs/{kind}-{version}"}}},
            }
            for kind, version in KINDS
        ],
    }


def _items(kind: str, version: int) -> dict[str, Any]:
    declared = KINDS[kind, version]
    properties = {
        name: {
            "description": f"{attribute.meaning}{'' if attribute.compared else ' (kept, not compared)'}",
            "$ref": "#/$defs/value",
        }
        for name, attribute in declared.attributes.items()
    }
    properties[SPLIT] = {
        "description": "what hosts have that do not agree, in the majority of an environment",
        "$ref": "#/$defs/value",
    }
    return {
        "title": declared.title,
        "type": "object",
        "additionalProperties": {"type": "object", "properties": properties, "additionalProperties": False},
    }
