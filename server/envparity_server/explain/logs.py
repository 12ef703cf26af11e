"""Takes a traceback out of the log it stands in: colours, escapes, JSON, and what is written before every line."""

import json
import re
from collections.abc import Iterator
from typing import Any

MAX_TEXT = 4 * 1024 * 1024  # characters; a run ends at the end of its log, so that is what is kept
MAX_LINES = 200_000
MAX_LINE = 4000
_MAX_JSON = 512 * 1024
_MAX_VALUES = 1000  # of one JSON line that are looked at
_MAX_SHAPES = 16
_MAX_PREFIX = 200

HEAD = "Traceback (most recent call last):"
_GROUP = "+ Exception Group "
_COLOUR = re.compile(r"\x1b(?:\[[0-9;:?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\^_])")
_FRAME = re.compile(r' {2}File "[^"]+", line \d')
_PARTS = re.compile(r"(\d+)|(\s+)")


def lines_of(text: str) -> list[str]:
    """The lines that a failing run printed, free of colours; a JSON line gives the lines of the text in it."""
    text = _COLOUR.sub("", text[-MAX_TEXT:]).replace("\r\n", "\n").replace("\r", "\n")
    found: list[str] = []
    for line in text.split("\n")[-MAX_LINES:]:
        unpacked = _of_json(line) if line.rstrip().endswith("}") and "{" in line[:_MAX_PREFIX] else None
        if unpacked is None and "\\n" in line and "Traceback (" in line:
            unpacked = line.replace("\\n", "\n").replace('\\"', '"')
        found.extend(one[:MAX_LINE] for one in (line if unpacked is None else unpacked).rstrip("\n").split("\n"))
    return found[-MAX_LINES:]


def _of_json(line: str) -> str | None:
    """The text in a line of JSON: what has line breaks, else the longest that has a blank; None for another line."""
    start = line.index("{")
    if len(line) > _MAX_JSON:
        return None
    try:
        document = json.loads(line[start:])
    except (ValueError, RecursionError):
        return None
    texts = list(_texts(document))
    broken = [text for text in texts if "\n" in text]
    if broken:
        return "\n".join(text.rstrip("\n") for text in broken)
    return max((text for text in texts if " " in text), key=len, default=None)


def _texts(document: Any) -> Iterator[str]:
    pending = [document]
    for _ in range(_MAX_VALUES):
        if not pending:
            return
        value = pending.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            pending.extend(reversed(value.values()))
        elif isinstance(value, list):
            pending.extend(reversed(value))


def streams(lines: list[str]) -> list[list[tuple[int, str]]]:
    """The lines with their numbers, apart by what is written before them, which is taken away.

    Several services may write to one log, in turns: what stands before `Traceback` on its line tells which lines go on
    with it, whatever numbers are in there, as of a time.
    """
    shapes: dict[str, re.Pattern[str]] = {}
    found: dict[str, list[tuple[int, str]]] = {"": []}
    for number, line in enumerate(lines):
        shape, rest = _matched(line, shapes)
        if not shape:
            prefix = _prefix(line)
            if prefix and len(shapes) < _MAX_SHAPES:
                shape, rest = _shape(prefix), line[len(prefix) :]
                shapes[shape] = re.compile(shape)
        found.setdefault(shape, []).append((number, rest))
    return list(found.values())


def _matched(line: str, shapes: dict[str, re.Pattern[str]]) -> tuple[str, str]:
    start = line[: _MAX_PREFIX * 2]
    for shape, pattern in shapes.items():
        match = pattern.match(start)
        if match:
            return shape, line[match.end() :]
        if line and pattern.fullmatch(f"{start.rstrip()} "):  # a blank line of which the log trimmed the end
            return shape, ""
    return "", line


def _prefix(line: str) -> str:
    """What stands before the first line of a traceback, or before a frame of one that was cut off."""
    place = line.find(HEAD)
    if place >= 0:
        before = line[:place]
        if before.endswith(_GROUP):
            before = before.removesuffix(_GROUP).removesuffix("  ")
    else:
        match = _FRAME.search(line)
        before = line[: match.start()] if match else ""
    is_own = not before.strip(" |") or before.startswith(("E   ", "/", '"')) or len(before) > _MAX_PREFIX
    return "" if is_own else before


def _shape(prefix: str) -> str:
    """A pattern for what is like this: other numbers, other spacing within, and the very same blanks at its end."""
    body = prefix.rstrip()
    parts = (
        r"\d+" if part.isdecimal() else r"\s+" if part.isspace() else re.escape(part)
        for part in filter(None, _PARTS.split(body))
    )
    return "".join(parts) + re.escape(prefix[len(body) :])
