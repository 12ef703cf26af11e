"""Reads pack files of git with their indexes of version 2: https://git-scm.com/docs/gitformat-pack."""

import os
import struct
import zlib
from contextlib import ExitStack

from envparity_agent.collectors.code.files import opened
from envparity_agent.collectors.code.repository.index import varint
from envparity_agent.errors import Unreadable
from envparity_agent.fingerprint import Reason
from envparity_agent.root import MIB, Root

MAX_OBJECT = 16 * MIB
KINDS = {1: "commit", 2: "tree", 3: "blob", 4: "tag"}

_MAX_CHAIN = 4096  # deltas on top of each other; git makes at most 4095
_MAX_DELTAS = 64 * MIB  # of one chain
_MAX_BASES = 16 * MIB  # kept, as trees of one commit have bases in common
_OFFSET_DELTA, _ID_DELTA = 6, 7
_CHUNK = 4096
_FANOUT = 8
_IDS = _FANOUT + 256 * 4


class Pack:
    """One pack file and its index, opened for as long as the stack is."""

    def __init__(self, root: Root, path: str, width: int, stack: ExitStack) -> None:
        """`path` is that of the index, `width` the length of an id; raises Unreadable."""
        self._path = path
        self._width = width
        self._index, size = stack.enter_context(opened(root, path))
        self._pack, _ = stack.enter_context(opened(root, f"{path.removesuffix('.idx')}.pack"))
        self._bases: dict[int, tuple[int, bytes]] = {}
        self._kept = 0
        try:
            self._count = self._number(_FANOUT + 255 * 4)
            known = self._at(0, _FANOUT) == b"\xfftOc\0\0\0\2"
        except (OSError, struct.error):
            raise Unreadable(path, Reason.INVALID) from None
        if not known or size < _IDS + self._count * (width + 8) + 2 * width:
            raise Unreadable(path, Reason.INVALID if known else Reason.UNSUPPORTED)

    def read(self, id: bytes) -> tuple[str, bytes] | None:
        """The kind and the content of an object, None where it is not in this pack; raises Unreadable."""
        try:
            offset = self._offset(id)
            if offset is None:
                return None
            kind, content = self._object(offset)
            return KINDS[kind], content
        except (IndexError, KeyError, OSError, OverflowError, ValueError, struct.error, zlib.error):
            raise Unreadable(self._path, Reason.INVALID) from None

    def _at(self, position: int, size: int, file: int | None = None) -> bytes:
        return os.pread(self._index if file is None else file, size, position)

    def _number(self, position: int) -> int:
        (number,) = struct.unpack(">I", self._at(position, 4))
        return int(number)

    def _offset(self, id: bytes) -> int | None:
        """Where an object begins in the pack: ids are sorted, and the fanout tells how many begin with a byte."""
        low = self._number(_FANOUT + (id[0] - 1) * 4) if id[0] else 0
        high = min(self._number(_FANOUT + id[0] * 4), self._count)
        while low < high:
            middle = (low + high) // 2
            found = self._at(_IDS + middle * self._width, self._width)
            if found == id:
                return self._place(middle)
            if found < id:
                low = middle + 1
            else:
                high = middle
        return None

    def _place(self, number: int) -> int:
        offsets = _IDS + self._count * (self._width + 4)
        offset = self._number(offsets + number * 4)
        if not offset & 0x80000000:
            return offset
        (long,) = struct.unpack(">Q", self._at(offsets + self._count * 4 + (offset & 0x7FFFFFFF) * 8, 8))
        return int(long)

    def _object(self, offset: int) -> tuple[int, bytes]:
        """The object at an offset, its deltas applied to what they change."""
        deltas: list[bytes] = []
        size = 0
        while offset not in self._bases:
            kind, body, base = self._entry(offset)
            if base is None:
                self._keep(offset, kind, body)
                break
            deltas.append(body)
            size += len(body)
            if len(deltas) > _MAX_CHAIN or size > _MAX_DELTAS:
                raise Unreadable(self._path, Reason.CAP)
            offset = base
        else:
            kind, body = self._bases[offset]
        for delta in reversed(deltas):
            body = apply(delta, body)
        return kind, body

    def _keep(self, offset: int, kind: int, body: bytes) -> None:
        if self._kept + len(body) <= _MAX_BASES:
            self._bases[offset] = kind, body
            self._kept += len(body)

    def _entry(self, offset: int) -> tuple[int, bytes, int | None]:
        """Kind, content and, where that is a delta, the offset of its base."""
        header = self._at(offset, 64, self._pack)
        kind = header[0] >> 4 & 7
        size, shift, position = header[0] & 15, 4, 1
        while header[position - 1] & 0x80:
            size |= (header[position] & 0x7F) << shift
            shift += 7
            position += 1
        base = None
        if kind == _OFFSET_DELTA:
            back, position = varint(header, position)
            base = offset - back
            if not 0 < base < offset:
                raise ValueError("a delta whose base does not come before it")
        elif kind == _ID_DELTA:
            base = self._offset(header[position : position + self._width])
            position += self._width
            if base is None:
                raise ValueError("a delta whose base is not in the pack")
        return kind, self._inflated(offset + position, size), base

    def _inflated(self, position: int, size: int) -> bytes:
        if size > MAX_OBJECT:
            raise Unreadable(self._path, Reason.CAP)
        stream = zlib.decompressobj()
        out = bytearray()
        limit = position + 2 * size + _CHUNK  # a stream may also go on without giving anything
        while not stream.eof and position < limit:
            chunk = self._at(position, _CHUNK if size < _CHUNK else MIB, self._pack)
            if not chunk:
                break
            position += len(chunk)
            out += stream.decompress(chunk, size + 1 - len(out))
            if len(out) > size:
                break
        if len(out) != size:
            raise ValueError("an object that is not as long as it says")
        return bytes(out)


def apply(delta: bytes, base: bytes) -> bytes:
    """What a delta makes of its base; raises ValueError or IndexError where it breaks its format."""
    source, position = _length(delta, 0)
    size, position = _length(delta, position)
    if source != len(base) or size > MAX_OBJECT:
        raise ValueError("a delta for another base")
    out = bytearray()
    while position < len(delta):
        order = delta[position]
        position += 1
        if order & 0x80:
            offset = length = 0
            for bit in range(7):
                if order & 1 << bit:
                    if bit < 4:
                        offset |= delta[position] << 8 * bit
                    else:
                        length |= delta[position] << 8 * (bit - 4)
                    position += 1
            part = base[offset : offset + (length or 0x10000)]
            wanted = length or 0x10000
        else:
            part, wanted = delta[position : position + order], order
            position += order
        out += part
        if not wanted or len(part) != wanted or len(out) > size:
            raise ValueError("an instruction that leads out of the base")
    if len(out) != size:
        raise ValueError("a delta that does not make what it says")
    return bytes(out)


def _length(content: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = content[position]
        value |= (byte & 0x7F) << shift
        shift += 7
        position += 1
        if not byte & 0x80:
            return value, position
        if shift > 63:
            raise ValueError("a length that does not end")
