"""Reads the tables of a SQLite file that may be hostile, straight from a descriptor.

SQLite itself opens files by name only: it follows /proc/self/fd/N to a path, and what that path names outside of the
file's own mount namespace is another file. Here no SQL runs either, so views and triggers mean nothing.
The format: https://www.sqlite.org/fileformat2.html
"""

import os
import re
import struct
from collections.abc import Iterator
from typing import NoReturn, TypeAlias

from envparity_agent.errors import Unreadable
from envparity_agent.fingerprint import Reason
from envparity_agent.root import MIB

Value: TypeAlias = int | float | str | bytes | None

MAX_FILE = 512 * MIB
MAX_RECORD = 32 * MIB
MAX_COLUMNS = 2000  # as SQLite's own limit

_INTERIOR, _LEAF = 5, 13  # types of the pages of a table
_ENCODINGS = {1: "utf-8", 2: "utf-16-le", 3: "utf-16-be"}
_INTEGERS = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}  # serial type -> bytes
_TOKENS = re.compile(r"(/\*|\*/|--|[(),\n])")
_COMMENTS = {"/*": "*/", "--": "\n"}  # what begins one -> what ends it
_ALIAS = re.compile(r"\S+\s+INTEGER\s+PRIMARY\s+KEY\b", re.IGNORECASE)


class Tables:
    """The tables of one database file; what breaks the format raises Unreadable with `invalid`."""

    def __init__(self, descriptor: int, path: str) -> None:
        """Read the schema; `path` is told in errors."""
        self._descriptor, self._path = descriptor, path
        size = os.fstat(descriptor).st_size
        if size > MAX_FILE:
            raise Unreadable(path, Reason.CAP)
        head = os.pread(descriptor, 100, 0)
        if len(head) < 100 or not head.startswith(b"SQLite format 3\0"):
            self._broken()
        (page_size,) = struct.unpack_from(">H", head, 16)
        self._page_size = 65536 if page_size == 1 else page_size
        if self._page_size < 512 or self._page_size & (self._page_size - 1):
            self._broken()
        self._usable = self._page_size - head[20]
        self._pages = size // self._page_size
        self._encoding = _ENCODINGS.get(head[59], "utf-8")
        self._roots: dict[str, tuple[int, str]] = {}
        for _, record in self._records(1):
            kind, name, _, first, sql = (*record, None, None, None, None, None)[:5]
            if kind == "table" and isinstance(name, str) and isinstance(first, int) and isinstance(sql, str):
                self._roots[name] = first, sql

    def rows(self, table: str) -> Iterator[dict[str, Value]]:
        """The rows of a table by their columns' names, in the order of their ids; none where there is no such table."""
        first, sql = self._roots.get(table, (0, ""))
        if not first:
            return
        names, alias = _columns(sql)
        for number, record in self._records(first):
            row = dict(zip(names, record, strict=False))  # a column that was added later is not in older rows
            if alias:
                row[alias] = number
            yield row

    def has(self, table: str) -> bool:
        """Whether there is such a table."""
        return table in self._roots

    def _records(self, first: int) -> Iterator[tuple[int, list[Value]]]:
        """The id and the values of each row, from the leaves of a tree whose root is that page."""
        seen = bytearray(self._pages + 1)  # a page has one place: what comes twice is a loop
        waiting = [first]
        while waiting:
            number = waiting.pop()
            page = self._page(number, seen)
            try:
                if page[self._start(number)] == _INTERIOR:
                    waiting += reversed(self._children(number, page))
                else:
                    yield from self._leaf(number, page, seen)
            except (IndexError, struct.error):
                self._broken()

    def _page(self, number: int, seen: bytearray) -> bytes:
        if not 0 < number <= self._pages or seen[number]:
            self._broken()
        seen[number] = 1
        try:
            page = os.pread(self._descriptor, self._page_size, (number - 1) * self._page_size)
        except OSError:
            raise Unreadable(self._path, Reason.ERROR) from None
        if len(page) < self._page_size:
            self._broken()
        return page

    @staticmethod
    def _start(number: int) -> int:
        return 100 if number == 1 else 0  # the first page begins with the header of the file

    def _places(self, number: int, page: bytes, kind: int) -> tuple[int, ...]:
        """Where the cells of a page begin."""
        start = self._start(number)
        if page[start] != kind:
            self._broken()
        (count,) = struct.unpack_from(">H", page, start + 3)
        return struct.unpack_from(f">{count}H", page, start + (12 if kind == _INTERIOR else 8))

    def _children(self, number: int, page: bytes) -> list[int]:
        pointers = [struct.unpack_from(">I", page, place)[0] for place in self._places(number, page, _INTERIOR)]
        return [*pointers, struct.unpack_from(">I", page, self._start(number) + 8)[0]]

    def _leaf(self, number: int, page: bytes, seen: bytearray) -> Iterator[tuple[int, list[Value]]]:
        room = self._page_size
        for place in self._places(number, page, _LEAF):
            size, place = _varint(page, place)
            row, place = _varint(page, place)
            if size > MAX_RECORD:
                raise Unreadable(self._path, Reason.CAP)
            here = self._size_in_cell(size)
            room -= here
            if room < 0:  # cells do not overlap: a hostile page would have thousands of records in the same bytes
                self._broken()
            yield _signed(row), self._values(self._payload(page, place, size, here, seen))

    def _size_in_cell(self, size: int) -> int:
        """How many bytes of a record of that size are in its cell."""
        most = self._usable - 35
        if size <= most:
            return size
        least = (self._usable - 12) * 32 // 255 - 23
        here = least + (size - least) % (self._usable - 4)
        return here if here <= most else least

    def _payload(self, page: bytes, place: int, size: int, here: int, seen: bytearray) -> bytes:
        """The bytes of a record: `here` of them in its cell, and what does not fit there in a chain of pages."""
        usable = self._usable
        parts = [page[place : place + here]]
        (following,) = struct.unpack_from(">I", page, place + here) if here < size else (0,)
        missing = size - here
        while missing > 0:
            overflow = self._page(following, seen)
            (following,) = struct.unpack_from(">I", overflow)
            parts.append(overflow[4 : 4 + min(missing, usable - 4)])
            missing -= usable - 4
        payload = b"".join(parts)
        if len(payload) != size:
            self._broken()
        return payload

    def _values(self, payload: bytes) -> list[Value]:
        place_of_data, place = _varint(payload, 0)
        end, values = place_of_data, []
        while place < end:
            serial, place = _varint(payload, place)
            value, place_of_data = self._value(payload, place_of_data, serial)
            values.append(value)
            if len(values) > MAX_COLUMNS:
                self._broken()
        return values

    def _value(self, payload: bytes, place: int, serial: int) -> tuple[Value, int]:
        if serial in (0, 8, 9):
            return (None, 0, 1)[(0, 8, 9).index(serial)], place
        size = _INTEGERS.get(serial) or (8 if serial == 7 else (serial - 12) // 2)
        data = payload[place : place + size]
        if serial in (10, 11) or len(data) < size:
            self._broken()
        if serial < 7:
            return int.from_bytes(data, "big", signed=True), place + size
        if serial == 7:
            return float(struct.unpack(">d", data)[0]), place + size
        return (data.decode(self._encoding, "replace") if serial % 2 else data), place + size

    def _broken(self) -> NoReturn:
        raise Unreadable(self._path, Reason.INVALID) from None


def _varint(data: bytes, place: int) -> tuple[int, int]:
    """A big-endian number of seven bits a byte, the ninth byte whole; and where it ends."""
    value = data[place]
    if value < 128:
        return value, place + 1
    value &= 127
    for position in range(place + 1, place + 8):
        byte = data[position]
        value = value << 7 | byte & 127
        if byte < 128:
            return value, position + 1
    return value << 8 | data[place + 8], place + 9


def _signed(number: int) -> int:
    return number - (1 << 64) if number >> 63 else number


def _columns(sql: str) -> tuple[list[str], str]:
    """The names of the columns that a CREATE TABLE declares, and the one that stands for the row's id.

    SQLite keeps the text as it was written, comments of both forms included.
    """
    definitions: list[list[str]] = [[]]
    depth, comment = 0, ""
    for part in _TOKENS.split(sql):
        if comment:
            comment = "" if part == comment else comment
        elif part in _COMMENTS:
            comment = _COMMENTS[part]
        elif part == "," and depth == 1:
            definitions.append([])
        else:
            depth += (part == "(") - (part == ")")
            definitions[-1].append(part if depth else "")
    declared = ["".join(parts).lstrip("( \t\n") for parts in definitions]
    alias = next((one for one in declared if _ALIAS.match(one)), "")
    return [_name(one) for one in declared], _name(alias)


def _name(definition: str) -> str:
    return next(iter(definition.split(maxsplit=1)), "").strip("\"'`[]")
