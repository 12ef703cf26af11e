"""Reads JSON, TOML and YAML as key -> value: `database.hosts[0].port`, each value with its type, in JSON's notation.

Nothing is constructed, and nothing is recursive here: a tree is walked as far as its limits of depth and count allow.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import yaml

from envparity_agent.collectors import toml
from envparity_agent.fingerprint import MAX_STRING

MAX_KEYS = 10_000
MAX_DEPTH = 32
MAX_OPENED = 200_000  # entries of YAML's lists and mappings, each counted as often as an alias names it
MAX_YAML = 256 * 1024  # bytes: the parser takes about a second for that

_YAML = "tag:yaml.org,2002:"
_TRUE = frozenset({"on", "true", "yes"})

# what a node is: a value's text, or the nodes below it, each with its part of the key; None: too much to tell
Opened: TypeAlias = "str | list[tuple[str, Any]] | None"


@dataclass
class Keyed:
    """The values of a file by their keys; not `complete` where a limit was reached."""

    values: dict[str, str] = field(default_factory=dict)
    complete: bool = True


class _Number(str):
    """A number as it is written: 1 and 1.0 are not the same, and neither has to fit a machine's word."""

    __slots__ = ()


def read_json(text: str) -> Keyed:
    """The keys of a JSON document; raises ValueError or RecursionError."""
    return _flat(json.loads(text, parse_int=_Number, parse_float=_Number, parse_constant=_Number), _of_tree)


def read_toml(text: str) -> Keyed:
    """The keys of a TOML document; raises ValueError or RecursionError."""
    return _flat(toml.loads(text, parse_float=_Number), _of_tree)


def read_yaml(text: str) -> Keyed:
    """The keys of a YAML stream, aliases and merges followed; raises YAMLError, ValueError or RecursionError.

    Of several documents each key starts with the document's number: `[1].kind`.
    """
    if len(text) > MAX_YAML:
        return Keyed(complete=False)
    documents = list(yaml.compose_all(text, Loader=yaml.SafeLoader))
    if len(documents) == 1:
        return _flat(documents[0], _Nodes().opened)
    return _flat(yaml.SequenceNode("", documents), _Nodes().opened)


def part(name: str) -> str:
    """A key as a part of a longer one, quoted where it could be taken for several, or for no key of the file."""
    return json.dumps(name, ensure_ascii=False) if not name or name[0] == "@" or set(name) & set('.[]"') else name


def _flat(top: Any, opened: Callable[[Any], Opened]) -> Keyed:
    found = Keyed()
    visited = 0
    pending: list[Iterator[tuple[str, Any]]] = [iter([("", top)])]
    names = [""]  # the key of each node whose inner nodes are pending
    while pending:
        step = next(pending[-1], None)
        if step is None:
            pending.pop()
            names.pop()
            continue
        visited += 1
        name = names[-1] + step[0] if names[-1] else step[0].removeprefix(".")
        content = opened(step[1]) if visited <= MAX_KEYS and len(name) <= MAX_STRING else None
        if isinstance(content, str):
            found.values[name or "@value"] = content
        elif content is not None and len(pending) <= MAX_DEPTH:
            pending.append(iter(content))
            names.append(name)
        else:
            found.complete = False
        if visited > MAX_KEYS:
            break
    return found


def _inner(pairs: dict[str, Any]) -> Opened:
    return [(f".{part(name)}", inner) for name, inner in pairs.items()] or "{}"


def _listed(values: list[Any]) -> Opened:
    return [(f"[{number}]", inner) for number, inner in enumerate(values)] or "[]"


def _of_tree(node: Any) -> Opened:
    """What a node of JSON or TOML is."""
    if isinstance(node, dict):
        return _inner(node)
    if isinstance(node, list):
        return _listed(node)
    if isinstance(node, _Number):
        return str(node)
    if node is None or isinstance(node, str | bool | int):
        return json.dumps(node, ensure_ascii=False)
    return f"{type(node).__name__} {node.isoformat()}"  # a date, a time, or both


class _Nodes:
    """What the nodes of YAML are; aliases and merges can name a node again and again, so what is opened is counted."""

    def __init__(self) -> None:
        self._left = MAX_OPENED

    def opened(self, node: yaml.Node | None) -> Opened:
        """What a node is."""
        if node is None:
            return "null"  # an empty document
        if isinstance(node, yaml.MappingNode):
            pairs = self._merged(node)
            return None if pairs is None else _inner(pairs)
        if isinstance(node, yaml.SequenceNode):
            self._left -= 1 + len(node.value)
            return _listed(node.value) if self._left >= 0 else None
        return _scalar(str(node.tag).removeprefix(_YAML), str(node.value))

    def _merged(self, top: yaml.MappingNode) -> dict[str, Any] | None:
        """A mapping with what `<<` merges into it: its own pairs win, then those of the first mapping that is named.

        None where that is without end. https://yaml.org/type/merge.html
        """
        found: dict[str, Any] = {}
        pending: list[yaml.Node] = [top]
        while pending:
            node = pending.pop()
            if not isinstance(node, yaml.MappingNode):
                raise ValueError("only a mapping can be merged")
            self._left -= 1 + len(node.value)
            if self._left < 0:
                return None
            own, merges = _parted(node)
            for name, inner in own.items():
                found.setdefault(name, inner)
            self._left -= len(merges)
            pending += reversed(merges)
        return found


def _parted(node: yaml.MappingNode) -> tuple[dict[str, Any], list[yaml.Node]]:
    """A mapping's own pairs, and the nodes that it merges."""
    own: dict[str, Any] = {}
    merges: list[yaml.Node] = []
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise ValueError("a key that is no text")
        if key.tag == f"{_YAML}merge":
            merges += value.value if isinstance(value, yaml.SequenceNode) else [value]
        else:
            own[str(key.value)] = value
    return own, merges


def _scalar(tag: str, text: str) -> str:
    if tag == "bool":
        return json.dumps(text.lower() in _TRUE)
    if tag == "null":
        return "null"
    if tag in ("int", "float", "timestamp"):
        return text
    quoted = json.dumps(text, ensure_ascii=False)
    return quoted if tag == "str" else f"{tag} {quoted}"
