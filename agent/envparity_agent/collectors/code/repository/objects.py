"""Reads the commits and trees of a git repository, from loose objects, packs and alternates.

https://git-scm.com/docs/gitrepository-layout. What was read is hashed: it is what was asked for, or an error.
"""

import hashlib
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from types import TracebackType
from typing import NamedTuple

from envparity_agent.collectors.code.repository.packs import MAX_OBJECT, Pack
from envparity_agent.collectors.code.repository.places import Repository
from envparity_agent.collectors.paths import join
from envparity_agent.errors import Unreadable
from envparity_agent.fingerprint import Reason

_MAX_DIRECTORIES = 10  # of objects: the repository's own and those that it borrows from
_MAX_PACKS = 1000


class Member(NamedTuple):
    """One entry of a tree."""

    mode: int
    id: bytes


class Objects:
    """The objects of one repository; a context, as packs stay open."""

    def __init__(self, repository: Repository) -> None:
        self._root = repository.root
        self._algorithm = repository.algorithm
        self._width = hashlib.new(repository.algorithm, usedforsecurity=False).digest_size
        self._stack = ExitStack()
        self._directories = self._borrowed(join(repository.common, "objects"))
        self._packs: list[Pack] | None = None

    def __enter__(self) -> "Objects":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def tree_of(self, commit: bytes) -> bytes:
        """The id of a commit's tree; raises Unreadable."""
        content = self._read(commit, "commit")
        name, _, id = content.partition(b"\n")[0].partition(b" ")
        try:
            if name == b"tree" and len(id) == self._width * 2:
                return bytes.fromhex(id.decode("ascii"))
        except ValueError:
            pass  # as for every other beginning
        raise Unreadable(commit.hex(), Reason.INVALID)

    def tree(self, id: bytes) -> dict[bytes, Member]:
        """Name -> mode and id of what a tree holds; raises Unreadable."""
        content = self._read(id, "tree")
        found: dict[bytes, Member] = {}
        position = 0
        try:
            while position < len(content):
                stop = content.index(b"\0", position)
                mode, _, name = content[position:stop].partition(b" ")
                position = stop + 1 + self._width
                found[name] = Member(int(mode, 8), content[stop + 1 : position])
        except ValueError:
            raise Unreadable(id.hex(), Reason.INVALID) from None
        if position != len(content):
            raise Unreadable(id.hex(), Reason.INVALID)
        return found

    def _read(self, id: bytes, wanted: str) -> bytes:
        """An object of a kind; raises Unreadable, with `vanished` where it is not to be had: a partial clone."""
        found = self._loose(id) or self._packed(id)
        if found is None:
            raise Unreadable(id.hex(), Reason.VANISHED)
        kind, content = found
        digest = hashlib.new(self._algorithm, b"%b %d\0" % (kind.encode(), len(content)), usedforsecurity=False)
        digest.update(content)
        if kind != wanted or digest.digest() != id:
            raise Unreadable(id.hex(), Reason.INVALID)
        return content

    def _loose(self, id: bytes) -> tuple[str, bytes] | None:
        name = id.hex()
        for directory in self._directories:
            path = f"{directory}/{name[:2]}/{name[2:]}"
            packed = self._root.read_if_there(path, cap=MAX_OBJECT)
            if packed is None:
                continue
            try:
                content = zlib.decompressobj().decompress(packed, MAX_OBJECT)
            except zlib.error:
                raise Unreadable(path, Reason.INVALID) from None
            header, _, body = content.partition(b"\0")
            return header.partition(b" ")[0].decode("ascii", "replace"), body
        return None

    def _packed(self, id: bytes) -> tuple[str, bytes] | None:
        if self._packs is None:
            self._packs = list(self._opened())
        for pack in self._packs:
            found = pack.read(id)
            if found is not None:
                return found
        return None

    def _opened(self) -> Iterator[Pack]:
        paths = [
            f"{directory}/pack/{name}"
            for directory in self._directories
            for name in self._root.names(f"{directory}/pack")
            if name.endswith(".idx")
        ]
        if len(paths) > _MAX_PACKS:
            raise Unreadable(paths[-1], Reason.CAP)
        for path in paths:
            yield Pack(self._root, path, self._width, self._stack)

    def _borrowed(self, own: str) -> list[str]:
        """Directories of objects: the repository's own, and those that it names as alternates, and they in turn."""
        found = [own]
        for directory in found:
            path = f"{directory}/info/alternates"
            for line in (self._root.read_if_there(path) or b"").split(b"\n"):
                place = line.decode("utf-8", "surrogateescape")
                if not place or place.startswith("#"):
                    continue
                place = place.lstrip("/") if place.startswith("/") else join(directory, place)
                if place not in found and len(found) < _MAX_DIRECTORIES:
                    found.append(place)
        return found
