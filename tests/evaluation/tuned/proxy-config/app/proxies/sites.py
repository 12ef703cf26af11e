"""The sites, after a look at whether they can be served."""

from collections.abc import Iterator, Mapping
from typing import Any

import attrs
import netaddr
from jsonschema import Draft202012Validator

_FORM = Draft202012Validator(
    {
        "type": "object",
        "required": ["sites", "headers"],
        "properties": {
            "headers": {"type": "object", "additionalProperties": {"type": "string"}},
            "sites": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["host", "upstreams"],
                    "properties": {"upstreams": {"type": "array", "minItems": 1, "items": {"type": "string"}}},
                },
            },
        },
    }
)


@attrs.frozen
class Site:
    host: str
    upstreams: list[netaddr.IPAddress]
    policy: str = "default-src 'self'"
    body: str = "1m"


def sites(known: Mapping[str, Any]) -> Iterator[Site]:
    _FORM.validate(known)
    for one in known["sites"]:
        yield Site(**{**one, "upstreams": [netaddr.IPAddress(address) for address in one["upstreams"]]})
