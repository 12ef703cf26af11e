"""Reads RECORD: the files of an installed distribution, and the ids of their content.

https://packaging.python.org/en/latest/specifications/recording-installed-packages/#the-record-file
"""

import csv
import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice
from operator import eq

from envparity_agent.fingerprint import Value
from envparity_agent.root import MIB

MAX_RECORD = 8 * MIB

_SIZE = re.compile(r"^[0-9]{1,15}$")

# files of the dist-info directory that tell how it was installed, not what: they differ between pip and uv
INSTALLER_FILES = frozenset({
    "RECORD", "RECORD.jws", "RECORD.p7s", "INSTALLER", "REQUESTED", "direct_url.json",
    "uv_cache.json", "uv_build.json", "provenance_url.json",
})  # fmt: skip


@dataclass(frozen=True)
class Row:
    """One row: a path relative to the site directory or absolute, `algorithm=hash` or nothing, bytes or nothing."""

    path: str
    hash: str
    size: int | None


def rows(record: bytes) -> Iterator[Row]:
    """The rows, with forward slashes; raises csv.Error where it is no table."""
    for row in csv.reader(_text(record).splitlines()):
        if row:
            path, hash, size = (*row[:3], "", "")[:3]
            yield Row(path.replace("\\", "/"), hash, int(size) if _SIZE.match(size) else None)


def is_compiled(path: str) -> bool:
    """Whether a file is a cache of the interpreter's, which it makes anew by itself."""
    return path.endswith(".pyc") or "__pycache__/" in path


def content_ids(record: bytes, entry: str) -> dict[str, Value]:
    """The content ids of a RECORD, from the rows that do not depend on who installed it, and where.

    Equal for pip and uv and for two prefixes; different for the wheel and the sdist build of one version.
    """
    text = _text(record)
    try:
        lines = _plain_lines(text)
        lines = _parsed_lines(text) if lines is None else lines
    except csv.Error:
        return {"problem": "RECORD: invalid"}
    lines.sort()
    if any(map(eq, lines, islice(lines, 1, None))):  # a row may occur twice
        lines = list(dict.fromkeys(lines))
    _cut(lines, "../")
    _cut(lines, "/")
    inner = (line.removeprefix(f"{entry}/") for line in _cut(lines, f"{entry}/"))
    metadata = [f"*.dist-info/{line}" for line in inner if line.partition(_END)[0] not in INSTALLER_FILES]
    position = bisect_left(lines, "*.dist-info/")
    pure = [line for line in lines if f".py{_END}" in line]
    return {
        "content": _hash(lines[:position], metadata, lines[position:]),
        "code": _hash(lines),
        "pure": _hash(pure),
    }


_END = "\0"  # of the path in a line: sorts before whatever may follow in a longer path
_UNUSUAL = '"\\:\r\v\f\x1c\x1d\x1e\0'  # quotes, Windows' paths, and what else ends a line


def _plain_lines(text: str) -> list[str] | None:
    """Path and hash of each row, where none needs a parser: so are all but a few, and it takes a third of the time.

    None for any other RECORD.
    """
    if "\r" in text:
        text = text.replace("\r\n", "\n")
    if not text.isascii() or any(character in text for character in _UNUSUAL):
        return None
    text = text.replace(",", _END)
    rows = text.split("\n")
    if text.count(_END) != 2 * (len(rows) - rows.count("")) or max(map(len, rows)) > csv.field_size_limit():
        return None
    lines = [row.rpartition(_END)[0] for row in rows if row]
    if f".pyc{_END}" in text or "__pycache__/" in text:
        lines = [line for line in lines if not is_compiled(line.partition(_END)[0])]
    return lines


def _parsed_lines(text: str) -> list[str]:
    """The same of any RECORD; raises csv.Error."""
    found: set[str] = set()
    for row in csv.reader(text.splitlines()):
        path = row[0].replace("\\", "/") if row else ""
        if path and not is_compiled(path) and ":" not in path[:3]:
            found.add(f"{path}{_END}{row[1] if len(row) > 1 else ''}")
    return list(found)


def _cut(lines: list[str], beginning: str) -> list[str]:
    """Take the lines with this beginning, which ends in a slash, out of the sorted ones."""
    first, last = bisect_left(lines, beginning), bisect_left(lines, f"{beginning[:-1]}0")  # 0 comes after the slash
    cut = lines[first:last]
    del lines[first:last]
    return cut


def _hash(*parts: list[str]) -> str:
    text = "\n".join("\n".join(lines) for lines in parts if lines).replace(_END, ",")
    return f"sha256:{sha256(text.encode('utf-8', 'replace')).hexdigest()}"


def _text(record: bytes) -> str:
    return record.decode("utf-8", "replace")
