"""Decodes TOML and JSON strictly, within bounds, and tells the line of what is wrong."""

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

from envparity_agent.collectors import toml
from envparity_agent.collectors.declared.source import Source
from envparity_agent.errors import UsageError

MAX_DEPTH = 64
MAX_NODES = 2_000_000
_PLACE = re.compile(r"\(at line (\d+), column \d+\)|at end of document")


def read_toml(source: Source) -> dict[str, Any]:
    """The document of a TOML file; raises UsageError."""
    text = source.text()
    try:
        return _bounded(source, toml.loads(text))
    except toml.LongKey as problem:
        raise source.error(problem.line, str(problem)) from None
    except tomllib.TOMLDecodeError as problem:
        place = _PLACE.search(str(problem))
        line = int(place[1]) if place and place[1] else text.count("\n") + 1
        raise source.error(line, f"not TOML: {_PLACE.sub('', str(problem)).strip()}") from None
    except (ValueError, RecursionError):  # ValueError: a number of more digits than int() takes
        raise source.error(1, "not TOML that can be read: nested too deep, or a number is too long") from None


def read_json(source: Source) -> dict[str, Any]:
    """The object of a JSON file, no key twice and no NaN; raises UsageError."""
    text = source.text()
    try:
        found = json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse)
    except json.JSONDecodeError as problem:
        raise source.error(problem.lineno, f"not JSON: {problem.msg}") from None
    except RecursionError:
        raise source.error(1, f"nested deeper than {MAX_DEPTH}") from None
    except ValueError as problem:
        raise source.error(_line_of(text, str(problem)), f"not JSON that can be read: {problem}") from None
    if not isinstance(found, dict):
        raise source.error(1, "not a JSON object")
    return _bounded(source, found)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"{key[:80]!r} occurs twice")
        found[key] = value
    return found


def _refuse(word: str) -> None:
    raise ValueError(f"{word} is no number")


def _line_of(text: str, message: str) -> int:
    """The line where a key occurs for the second time, else the first."""
    key = message.split("'")[1] if message.count("'") > 1 else ""
    places = [number for number, line in enumerate(text.split("\n"), start=1) if key and f'"{key}"' in line]
    return places[1] if len(places) > 1 else 1


def _bounded(source: Source, document: dict[str, Any]) -> dict[str, Any]:
    """The document, if it is neither too deep nor too large to walk through."""
    level: list[Any] = [document]
    nodes = depth = 0
    while level:
        nodes, depth = nodes + len(level), depth + 1
        if depth > MAX_DEPTH or nodes > MAX_NODES:
            raise source.error(1, f"nested deeper than {MAX_DEPTH}, or of more than {MAX_NODES} values")
        level = [inner for outer in level for inner in _inner(outer)]
    return document


def _inner(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        yield from value.values()
    elif isinstance(value, list):
        yield from value


class Table:
    """A table of a document, whose values are asked for by their type; `line` is where it begins, 0 if unknown."""

    def __init__(self, source: Source, value: Any, line: int = 0, what: str = "the document") -> None:
        """Raises UsageError where the value is no table."""
        self.source, self.line, self.what = source, line, what
        if not isinstance(value, dict):
            raise self.error("not a table")
        self.values: Mapping[str, Any] = value

    def error(self, problem: str) -> UsageError:
        """What is wrong with this table."""
        return self.source.error(self.line, f"{self.what}: {problem}")

    def text(self, key: str) -> str:
        """A text, empty where there is none."""
        value = self.values.get(key, "")
        if not isinstance(value, str):
            raise self.error(f"{key} is not a text")
        return value

    def name(self) -> str:
        """The text `name`, which must be there."""
        if not (name := self.text("name").strip()):
            raise self.error("it has no name")
        return name

    def texts(self, key: str) -> list[str]:
        """A list of texts, empty where there is none."""
        value = self.values.get(key, [])
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise self.error(f"{key} is not a list of texts")
        return value

    def table(self, key: str) -> "Table":
        """A table, empty where there is none."""
        return Table(self.source, self.values.get(key, {}), self.line, f"{self.what}: {key}")

    def tables(self, key: str, lines: list[int] | None = None) -> "list[Table]":
        """A list of tables, empty where there is none; `lines` are where they begin."""
        value = self.values.get(key, [])
        if not isinstance(value, list):
            raise self.error(f"{key} is not a list of tables")
        starts = lines if lines and len(lines) == len(value) else [self.line] * len(value)
        return [
            Table(self.source, one, line, f"{key} {number}")
            for number, (one, line) in enumerate(zip(value, starts, strict=True), start=1)
        ]


def headers(source: Source, name: str) -> list[int]:
    """The lines of the headers of an array of tables in TOML: `[[package]]`."""
    wanted = f"[[{name}]]"
    return [
        number
        for number, line in enumerate(source.text().split("\n"), start=1)
        if line.strip().replace(" ", "").startswith(wanted)
    ]
