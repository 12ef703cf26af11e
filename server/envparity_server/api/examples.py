"""Examples for the OpenAPI document: a model's own, else made of its fields', which are the same words everywhere."""

from collections.abc import Mapping
from typing import Any

Schema = Mapping[str, Any]

# what a text is called in bodies and answers -> what stands for it; `hosts[]` is a list of texts; null: most have none
WORDS: Mapping[str, str | None] = {
    "actor": "apt upgrade (by ada)",
    "advice": "list them: envparity drifts list",
    "agent": "0.2.0",
    "against": "env:prod",
    "applies_to": "env:prod,role=web",
    "approved_by": "person:ada",
    "attribute": "version",
    "begun_by": "token:github",
    "channel": "ops",
    "commit": "9fceb02d0ae598e95dc970b74767f19372d61af8",
    "created_by": "person:ada",
    "decided_by": None,
    "deploy": None,
    "distance": "patch",
    "drift": "5b7a863f2a9c0d1e",
    "environment": "prod",
    "event": "new",
    "expires": None,
    "host": "0123456789abcdef",
    "hosts": "env:prod,role=web",
    "hosts[]": "web-7",
    "id": "5b7a863f2a9c0d1e",
    "image": "sha256:" + "4" * 64,
    "item": "openssl",
    "kind": "os-packages",
    "left": "3.0.11-1~deb12u2",
    "link": "https://ci.example/shop/runs/512",
    "match": "os-packages/linux-image-*",
    "moved": "host",
    "name": "shop",
    "notes[]": "3 hosts are stale",
    "origin": None,
    "owner": "platform team",
    "problem": None,
    "proposed_by": "person:ada",
    "reason": "kernels differ by design on laptops",
    "reference": "env:prod,role=web",
    "removed": "shop",
    "right": "3.0.15-1~deb12u1",
    "rule": None,
    "secret": "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
    "section": "os-packages",
    "selector": "env:prod,role=web",
    "severity": "medium",
    "source": "env:prod,role=web@2026-11-01T02:00",
    "state": "new",
    "status": "ok",
    "taken_at": "2026-11-01T12:00:00+00:00",
    "token": "ept_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY",
    "title": "openssl differs on 3 of 40 hosts",
    "tree": None,
    "value": "3.0.11-1~deb12u2",
    "warnings[]": "it covers more than half of what differs now",
    "withdrawn_by": None,
    "words": "3.0.11-1~deb12u2 → 3.0.15-1~deb12u1",
}
_MOMENT = "2026-11-01T12:00:00Z"
_OPEN_ENDS = ("ended_at", "expires", "retired_at", "revoked_at", "until", "withdrawn_at")  # moments that most have not


class NoExample(LookupError):
    """A text has no example; says which."""


def whole(shown: Any, schema: Schema, models: Mapping[str, Schema]) -> Any:
    """A model's own example with the fields that it lacks: the framework drops nulls, a parent's lacks the child's."""
    if not isinstance(shown, dict):
        return shown
    lacking = {key: schema["properties"][key] for key in schema.get("required", ()) if key not in shown}
    nullable = {key for key, one in lacking.items() if {"type": "null"} in one.get("anyOf", ())}
    return shown | {key: None if key in nullable else example(one, models, key) for key, one in lacking.items()}


def example(schema: Schema, models: Mapping[str, Schema], name: str = "") -> Any:
    """An example of a schema, whose references are to `models`; `name` is what it is called. Raises NoExample."""
    if "$ref" in schema:
        return example(models[schema["$ref"].rpartition("/")[2]], models, name)
    if schema.get("examples"):
        return whole(schema["examples"][0], schema, models)
    if "enum" in schema or "const" in schema:
        return schema["enum"][0] if "enum" in schema else schema["const"]
    if "anyOf" in schema:
        if WORDS.get(name, "") is None or name in _OPEN_ENDS:
            return None
        return example(schema["anyOf"][0], models, name)
    return _by_type(schema, models, name)


def _by_type(schema: Schema, models: Mapping[str, Schema], name: str) -> Any:
    kind = schema.get("type")
    if kind == "object":
        return {key: example(one, models, key) for key, one in schema.get("properties", {}).items()}
    if kind == "array":
        return [example(schema["items"], models, f"{name}[]")]
    if kind == "string" and schema.get("format") == "date-time":
        return _MOMENT
    if kind in ("integer", "number"):
        return schema.get("minimum", 1)
    if kind == "boolean":
        return schema.get("default", False)
    if name not in WORDS:
        raise NoExample(name)
    return WORDS[name]
