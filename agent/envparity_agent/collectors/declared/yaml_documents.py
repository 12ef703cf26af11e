"""Decodes one YAML document strictly, within bounds, with the line of each key and entry.

PyYAML's parser yields events without recursion; they are put together here, so that depth, duplicate keys and what
aliases expand to are bounded. Plain scalars follow the core schema of YAML 1.2, as the Go programs do whose files
these are: `on` and `no` are texts. https://yaml.org/spec/1.2.2/#103-core-schema
"""

import re
from typing import Any

import yaml
from yaml import events

from envparity_agent.collectors.declared.source import Source
from envparity_agent.root import MIB

MAX_BYTES = 2 * MIB
MAX_DEPTH = 64
MAX_NODES = 200_000  # with what the aliases stand for
_INTEGER = re.compile(r"[-+]?[0-9]{1,18}")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]{1,3})?")
_NAMED: dict[str, Any] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_MERGE = "<<"


class Mapping(dict[str, Any]):
    """A mapping with the line of each of its keys."""

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line
        self.lines: dict[str, int] = {}


class Sequence(list[Any]):
    """A sequence with the line of each of its entries."""

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line
        self.lines: list[int] = []


def read_yaml(source: Source) -> Mapping:
    """The mapping that a YAML file holds, merge keys resolved; raises UsageError."""
    text = source.text()
    if len(text) > MAX_BYTES:
        raise source.error(0, f"larger than {MAX_BYTES // MIB} MiB")
    building = _Building(source)
    try:
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            building.take(event)
    except yaml.MarkedYAMLError as problem:
        mark = problem.problem_mark or problem.context_mark
        raise source.error(mark.line + 1 if mark else 1, f"not YAML: {problem.problem}") from None
    except yaml.reader.ReaderError as problem:
        raise source.error(text.count("\n", 0, problem.position) + 1, "not YAML: a character that it forbids") from None
    except (ValueError, OverflowError):  # \UFFFFFFFF in a quoted text, or a version of too many digits
        raise source.error(1, "not YAML: an escape or a number that is none") from None
    if not isinstance(building.document, Mapping):
        raise source.error(1, "not a mapping")
    return building.document


class _Building:
    """Puts a document together from events."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.document: Any = None
        self.open: list[Mapping | Sequence] = []
        self.keys: list[str | None] = []  # of each open mapping, the key that waits for its value
        self.anchors: dict[str, tuple[Any, int]] = {}
        self.named: list[tuple[str, int]] = []  # of each open collection, its anchor and the nodes before it
        self.nodes = 0
        self.documents = 0

    def take(self, event: events.Event) -> None:
        mark = event.start_mark
        line = mark.line + 1 if mark else 1
        if isinstance(event, events.DocumentStartEvent):
            self.documents += 1
            if self.documents > 1:
                raise self.source.error(line, "a second document")
        elif isinstance(event, events.MappingStartEvent | events.SequenceStartEvent):
            self._count(line, 1)
            if len(self.open) == MAX_DEPTH:
                raise self.source.error(line, f"nested deeper than {MAX_DEPTH}")
            self.open.append(Mapping(line) if isinstance(event, events.MappingStartEvent) else Sequence(line))
            self.keys.append(None)
            self.named.append((event.anchor or "", self.nodes - 1))
        elif isinstance(event, events.MappingEndEvent | events.SequenceEndEvent):
            found = self.open.pop()
            self.keys.pop()
            anchor, before = self.named.pop()
            if anchor:
                self.anchors[anchor] = found, self.nodes - before
            self._place(found, found.line)
        elif isinstance(event, events.ScalarEvent):
            self._count(line, 1)
            value = _scalar(event)
            if event.anchor:
                self.anchors[event.anchor] = value, 1
            self._place(value, line, key=event.value)
        elif isinstance(event, events.AliasEvent):
            anchor = event.anchor or ""
            if anchor not in self.anchors:
                raise self.source.error(line, f"the alias {anchor[:80]!r} stands for nothing before it")
            value, size = self.anchors[anchor]
            self._count(line, size)
            self._place(value, line, key=value if isinstance(value, str) else None)

    def _count(self, line: int, nodes: int) -> None:
        self.nodes += nodes
        if self.nodes > MAX_NODES:
            raise self.source.error(line, f"more than {MAX_NODES} nodes, with what aliases stand for")

    def _place(self, value: Any, line: int, key: str | None = None) -> None:
        """Put a value into what is open: as the next entry, as a key, or as the value of the key before it."""
        if not self.open:
            self.document = value
            return
        outer = self.open[-1]
        if isinstance(outer, Sequence):
            outer.append(value)
            outer.lines.append(line)
            return
        waiting = self.keys[-1]
        if waiting is None:
            if key is None:
                raise self.source.error(line, "a key that is not a text")
            if key in outer.lines:
                raise self.source.error(line, f"the key {key[:80]!r} occurs twice")
            outer.lines[key] = line
            self.keys[-1] = key
            return
        self.keys[-1] = None
        if waiting == _MERGE:
            self._merge(outer, value, line)
        else:
            outer[waiting] = value

    def _merge(self, outer: Mapping, value: Any, line: int) -> None:
        """Add what a mapping does not say itself: https://yaml.org/type/merge.html."""
        del outer.lines[_MERGE]
        for one in value if isinstance(value, Sequence) else (value,):
            if not isinstance(one, Mapping):
                raise self.source.error(line, "a merge key takes a mapping or a list of mappings")
            for key, inner in one.items():
                if key not in outer:
                    outer[key] = inner


def _scalar(event: events.ScalarEvent) -> Any:
    text: str = event.value
    if not event.implicit[0]:  # quoted, or with a tag of its own
        return text
    if text in _NAMED:
        return _NAMED[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text) and float(text) not in (float("inf"), float("-inf")):
        return float(text)
    return text


def shown(value: Any) -> str:
    """A scalar as Go's programs print it into a text: `true`, `1.1` for 1.10, `1e+21`."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e21 else repr(value)
    return "" if value is None else str(value)
