"""Canonical JSON: the one text of a value, its hash, and the strict way back."""

import hashlib
import json
from typing import Any

from envparity_agent.errors import InvalidDocument

MAX_DEPTH = 32
MAX_INTEGER = 2**63 - 1


def canonical(value: Any) -> bytes:
    """The one JSON text of a value: sorted keys, no spaces, UTF-8.

    Raises ValueError for what has none: NaN, lone surrogates, objects of other types.
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
