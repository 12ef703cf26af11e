"""Parses the header of an installed RPM package; hostile offsets and counts lead nowhere.

The format: https://rpm-software-management.github.io/rpm/manual/format_header.html, without its magic number.
"""

import struct
from collections.abc import Collection, Mapping
from enum import IntEnum
from typing import TypeAlias

MAX_ENTRIES = 0xFFFF  # as rpm's own limit
MAX_VALUES = 1_000_000  # of a tag: files of a package


class Tag(IntEnum):
    """The tags that are read: https://rpm-software-management.github.io/rpm/manual/tags.html."""

    SIGMD5 = 261
    SHA1HEADER = 269
    SHA256HEADER = 273
    NAME = 1000
    VERSION = 1001
    RELEASE = 1002
    EPOCH = 1003
    ARCH = 1022
    SOURCERPM = 1044
    DIRINDEXES = 1116
    BASENAMES = 1117
    DIRNAMES = 1118


Value: TypeAlias = tuple[int, ...] | bytes | list[bytes]
Header: TypeAlias = Mapping[int, Value]

_INT32, _STRING, _BINARY, _STRINGS = 4, 6, 7, 8


class Malformed(ValueError):
    """A header breaks its format; the other headers of the database stand."""


def parse(blob: bytes, wanted: Collection[int]) -> dict[int, Value]:
    """The values of the wanted tags: numbers, one text, binary data or a list of texts; raises Malformed."""
    if len(blob) < 8:
        raise Malformed
    entries, size = struct.unpack_from(">II", blob)
    start = 8 + 16 * entries
    if entries > MAX_ENTRIES or start + size != len(blob):
        raise Malformed
    found: dict[int, Value] = {}
    for tag, kind, offset, count in struct.iter_unpack(">IIiI", blob[8:start]):
        if tag in wanted and tag not in found:
            if not 0 <= offset <= size:
                raise Malformed
            found[tag] = _value(blob, start + offset, kind, count)
    return found


def _value(blob: bytes, place: int, kind: int, count: int) -> Value:
    if count > MAX_VALUES and kind != _BINARY:
        raise Malformed
    if kind == _INT32 and 4 * count <= len(blob) - place:
        return struct.unpack_from(f">{count}I", blob, place)
    if kind == _STRING:
        end = blob.find(b"\0", place)
        if end >= 0:
            return blob[place:end]
    elif kind == _BINARY and count <= len(blob) - place:
        return blob[place : place + count]
    elif kind == _STRINGS:
        texts = blob[place:].split(b"\0", count)
        if len(texts) == count + 1:
            return texts[:count]
    raise Malformed


def text(header: Header, tag: int) -> str:
    """A tag's one text; empty where the header has none."""
    value = header.get(tag)
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else ""


def texts(header: Header, tag: int) -> list[bytes]:
    """A tag's texts."""
    value = header.get(tag)
    return value if isinstance(value, list) else []


def numbers(header: Header, tag: int) -> tuple[int, ...]:
    """A tag's numbers."""
    value = header.get(tag)
    return value if isinstance(value, tuple) else ()
