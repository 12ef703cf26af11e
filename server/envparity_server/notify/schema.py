"""The JSON Schema of a webhook's body, generated from what is sent; receivers may build on it."""

from typing import Any

from envparity_server.compare.model import Severity
from envparity_server.notify.interface import Item, Notification

_MEANING = {
    "event": "new, regressed, resolved or test",
    "title": "one line for people",
    "words": "a sentence for people",
    "severity": "how much it matters",
    "environment": "the environment of the hosts; empty in a test",
    "more": "how many items there are beyond those listed",
    "host": "name of the host, or env:NAME",
    "section": "part of the fingerprint, such as os-packages; `reports` where the host is silent",
    "item": "what differs, such as openssl",
}


def notification() -> dict[str, Any]:
    """The schema. New fields may come; none of these goes or changes its meaning while `schema` is 1."""
    severity = {"enum": [one.word for one in Severity], "description": _MEANING["severity"]}
    texts = {name: {"type": "string", "description": text} for name, text in _MEANING.items()}
    item = {name: texts.get(name, texts["words"]) for name in Item.__dataclass_fields__}
    fields = {name: texts.get(name, {}) for name in Notification.__dataclass_fields__}
    properties = {
        "schema": {"const": 1},
        "delivery": {"type": "string", "description": "the same for every try of one delivery"},
        **fields,
        "severity": severity,
        "link": {"type": ["string", "null"], "description": "the page of the drift"},
        "more": {"type": "integer", "minimum": 0, "description": _MEANING["more"]},
        "items": {
            "type": "array",
            "items": {"type": "object", "required": list(item), "properties": {**item, "severity": severity}},
        },
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Notification",
        "description": "Text in it is foreign: show it as text, never as markup.",
        "type": "object",
        "required": list(properties),
        "properties": properties,
    }
