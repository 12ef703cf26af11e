"""Reads the index of a git repository, versions 2 to 4: https://git-scm.com/docs/index-format."""

import hashlib
import struct
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import NamedTuple

from envparity_agent.collectors.code.repository.places import Repository
from envparity_agent.errors import Unreadable
from envparity_agent.fingerprint import Reason
from envparity_agent.root import MIB

GITLINK, SYMLINK, FILE, EXECUTABLE, TREE = 0o160000, 0o120000, 0o100644, 0o100755, 0o040000

_MAX_SIZE = 64 * MIB
_MAX_ENTRIES = 200_000
_MAX_DIRECTORIES = 100_000
_MAX_PATH = 4096
_MAX_VARINT = 9  # bytes: more than any file is long
_STAT = 40  # bytes of times, device, inode, mode, owner and size
_NOT_NAMES = frozenset({b"", b".", b"..", b".git"})
_SPARSE = b"sdir"  # the one extension that must be understood, and is


class Entry(NamedTuple):
    """One thing that git tracks: a file, a symlink, a submodule or, in a sparse index, a directory."""

    mode: int
    id: bytes
    stamp: bytes  # ctime, mtime and size as the index holds them
    skipped: bool = False  # not checked out on purpose
    intended: bool = False  # `git add --intent-to-add`: only the name is known
    merging: bool = False  # a side of a merge that is not resolved


@dataclass(slots=True)
class Directory:
    """A directory of what git tracks."""

    children: "dict[bytes, Entry | Directory]" = field(default_factory=dict)


class _Invalid(Exception):
    """The index breaks its format."""


class _Unsupported(Exception):
    """The index uses what is not read here."""


@dataclass
class Index:
    """What git tracks, as a tree; `trees` are the ids of those directories that the index knows to be unchanged."""

    top: Directory = field(default_factory=Directory)
    trees: dict[bytes, bytes] = field(default_factory=dict)
    written: int = 0  # when, in seconds: a file of that second or later may have changed since it was added
    stamp: Hashable = None  # of the file that it was read from
    directories: int = 0

    def add(self, path: bytes, entry: Entry) -> None:
        """Put an entry in its place; raises _Invalid or Unreadable."""
        *parents, name = path.split(b"/")
        if not _NOT_NAMES.isdisjoint(parents) or name in _NOT_NAMES:
            raise _Invalid
        place = self.top
        for parent in parents:
            child = place.children.get(parent)
            if child is None:
                child = place.children[parent] = Directory()
                self.directories += 1
            if not isinstance(child, Directory):
                raise _Invalid
            place = child
        there = place.children.get(name)
        if self.directories > _MAX_DIRECTORIES:
            raise Unreadable("index", Reason.CAP)
        if isinstance(there, Directory) or (there is not None and not (there.merging and entry.merging)):
            raise _Invalid
        place.children[name] = entry


def read_index(repository: Repository) -> Index:
    """The index of a work tree, empty where there is none yet; raises Unreadable."""
    path = repository.index
    status = repository.root.stat(path)
    content = repository.root.read_if_there(path, cap=_MAX_SIZE)
    if content is None or status is None:
        return Index()
    try:
        index = _parse(content, repository.algorithm)
    except (_Invalid, struct.error, IndexError, ValueError):
        raise Unreadable(path, Reason.INVALID) from None
    except _Unsupported:
        raise Unreadable(path, Reason.UNSUPPORTED) from None
    index.written = status.st_mtime_ns // 1_000_000_000
    index.stamp = status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
    return index


def _parse(content: bytes, algorithm: str) -> Index:
    width = hashlib.new(algorithm, usedforsecurity=False).digest_size
    end = len(content) - width
    signature, version, count = struct.unpack_from(">4sII", content)
    checksum = content[end:]
    if signature != b"DIRC" or end < 12:
        raise _Invalid
    if any(checksum) and hashlib.new(algorithm, content[:end], usedforsecurity=False).digest() != checksum:
        raise _Invalid  # one of zeros was not computed: index.skipHash
    if version not in (2, 3, 4):
        raise _Unsupported
    if count > _MAX_ENTRIES:
        raise Unreadable("index", Reason.CAP)
    index = Index()
    position = 12
    path = b""
    for _ in range(count):
        entry, path, position = _entry(content, position, version, width, path)
        index.add(path.removesuffix(b"/") if entry.mode == TREE else path, entry)
    _extensions(content[position:end], index, width)
    return index


def _entry(content: bytes, start: int, version: int, width: int, before: bytes) -> tuple[Entry, bytes, int]:
    """The entry at a position, its path, and where the next one begins; version 4 gives a path by the one before."""
    position = start + _STAT + width
    (flags,) = struct.unpack_from(">H", content, position)
    position += 2
    more = 0
    if flags & 0x4000:
        if version < 3:
            raise _Invalid
        (more,) = struct.unpack_from(">H", content, position)
        position += 2
    kept = b""
    if version == 4:
        cut, position = varint(content, position)
        if cut > len(before):
            raise _Invalid
        kept = before[: len(before) - cut]
    stop = content.index(b"\0", position, position + _MAX_PATH)
    path = kept + content[position:stop]
    if not path:
        raise _Unsupported  # an entry that stands for one of another file: the index is split in two
    if len(path) > _MAX_PATH:
        raise _Invalid
    following = stop + 1 if version == 4 else start + (stop - start + 8) // 8 * 8
    (mode,) = struct.unpack_from(">I", content, start + 24)
    entry = Entry(
        mode,
        content[start + _STAT : start + _STAT + width],
        content[start : start + 16] + content[start + 36 : start + 40],
        skipped=bool(more & 0x4000),
        intended=bool(more & 0x2000),
        merging=bool(flags & 0x3000),
    )
    if mode not in (GITLINK, SYMLINK, FILE, EXECUTABLE, TREE) or (mode == TREE and not entry.skipped):
        raise _Invalid
    return entry, path, following


def varint(content: bytes, position: int) -> tuple[int, int]:
    """An offset as git encodes it, and where it ends; raises IndexError, or ValueError where it is too long."""
    value = -1
    for place in range(position, position + _MAX_VARINT):
        value = (value + 1 << 7) + (content[place] & 0x7F)
        if not content[place] & 0x80:
            return value, place + 1
    raise ValueError("an offset that does not end")


def _extensions(content: bytes, index: Index, width: int) -> None:
    position = 0
    while position < len(content):
        name, size = struct.unpack_from(">4sI", content, position)
        body = content[position + 8 : position + 8 + size]
        if len(body) != size:
            raise _Invalid
        if name == b"TREE":
            index.trees = _cached_trees(body, width)
        elif not b"A" <= name[:1] <= b"Z" and name != _SPARSE:
            raise _Unsupported  # such as the index that is split in two
        position += 8 + size


def _cached_trees(body: bytes, width: int) -> dict[bytes, bytes]:
    """Path of a directory -> id of its tree, for those of which nothing was staged since it was written."""
    found: dict[bytes, bytes] = {}
    open: list[tuple[bytes, int]] = []  # directories, each with how many below it are still to come
    position = size = 0
    while position < len(body):
        stop = body.index(b"\0", position)
        line = body.index(b"\n", stop)
        entries, inner = (int(number) for number in body[stop + 1 : line].split(b" "))
        while open and not open[-1][1]:
            open.pop()
        if not open and position:
            raise _Invalid  # more than one top
        if open:
            parent, left = open[-1]
            open[-1] = parent, left - 1
            path = below(parent, body[position:stop])
        else:
            path = b""
        position = line + 1
        if entries >= 0:
            found[path] = body[position : position + width]
            position += width
        size += len(path)
        if position > len(body) or inner < 0 or size > _MAX_SIZE or len(path) > _MAX_PATH:
            raise _Invalid
        open.append((path, inner))
    return found


def below(directory: bytes, name: bytes) -> bytes:
    """A path in a directory of the work tree, whose top is the empty path."""
    return directory + b"/" + name if directory else name
