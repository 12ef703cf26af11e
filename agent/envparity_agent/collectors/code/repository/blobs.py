"""Tells what id git would give to the content of a file, a symlink or, converted as configured, a text.

https://git-scm.com/book/en/v2/Git-Internals-Git-Objects, LFS: https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md
"""

import hashlib
import os
import stat
from collections.abc import Iterable

from envparity_agent.collectors.code.files import Budget, chunks, link_target, settled
from envparity_agent.collectors.code.repository.attributes import Attributes, Conversion
from envparity_agent.collectors.code.repository.places import Repository
from envparity_agent.collectors.memory import Memory
from envparity_agent.collectors.paths import join
from envparity_agent.errors import Unreadable
from envparity_agent.fingerprint import Reason
from envparity_agent.root import MIB

_MAX_TEXT = 64 * MIB  # of a file that is converted: it is held in memory
_PRINTED = bytes((8, 9, 10, 12, 13, 27))  # control characters that a text may have
_UNPRINTED = bytes(byte for byte in (*range(32), 127) if byte not in _PRINTED)


class Blobs:
    """The ids of the files of one work tree; what did not change since it was hashed is remembered."""

    def __init__(self, repository: Repository, budget: Budget, memory: Memory) -> None:
        self._repository = repository
        self._budget = budget
        self._memory = memory
        self._attributes = Attributes(repository, budget)

    def id(self, path: bytes, status: os.stat_result, expected: bytes | None = None) -> bytes:
        """The id of what lies at a path; raises Unreadable.

        Where it is not the expected one it may be so converted; `unsupported` where only a foreign program could tell.
        """
        if stat.S_ISLNK(status.st_mode):
            target = link_target(self._repository.root, self._place(path))
            return self._hash([b"%d" % len(target), target])
        raw = self._remembered(path, status, Conversion.NONE)
        if raw == expected:
            return raw
        conversion = self._attributes.conversion(path)
        if conversion == Conversion.NONE:
            return raw
        if conversion == Conversion.FOREIGN:
            if expected is None:
                return raw
            raise Unreadable(self._place(path), Reason.UNSUPPORTED)
        return self._remembered(path, status, conversion)

    def _remembered(self, path: bytes, status: os.stat_result, conversion: Conversion) -> bytes:
        key = "blob", status.st_dev, status.st_ino, self._repository.algorithm, conversion
        return self._memory.recall(key, settled(status), lambda: self._converted(path, conversion))

    def _converted(self, path: bytes, conversion: Conversion) -> bytes:
        parts = chunks(self._repository.root, self._place(path), self._budget)
        if conversion == Conversion.NONE:
            return self._hash(parts)
        size = next(parts)
        if conversion == Conversion.LFS:
            return self._pointer(size, parts)
        if int(size) > _MAX_TEXT:
            raise Unreadable(self._place(path), Reason.CAP)
        content = b"".join(parts)
        if conversion == Conversion.LINES or _is_text(content):
            content = content.replace(b"\r\n", b"\n")
        return self._hash([b"%d" % len(content), content])

    def _pointer(self, size: bytes, parts: Iterable[bytes]) -> bytes:
        digest = hashlib.sha256()
        for part in parts:
            digest.update(part)
        text = b"version https://git-lfs.github.com/spec/v1\noid sha256:%b\nsize %b\n"
        pointer = text % (digest.hexdigest().encode(), size)
        return self._hash([b"%d" % len(pointer), pointer])

    def _hash(self, parts: Iterable[bytes]) -> bytes:
        """The id of a blob; the first part is its size as a decimal number."""
        digest = hashlib.new(self._repository.algorithm, b"blob ", usedforsecurity=False)
        for number, part in enumerate(parts):
            digest.update(part if number else part + b"\0")
        return digest.digest()

    def _place(self, path: bytes) -> str:
        return join(self._repository.top, os.fsdecode(path))


def _is_text(content: bytes) -> bool:
    """Whether git takes content for text: no NUL, no lone CR, few bytes that cannot be printed."""
    if b"\0" in content or content.count(b"\r") != content.count(b"\r\n"):
        return False
    content = content.removesuffix(b"\x1a")  # the end of a file in DOS
    unprinted = len(content) - len(content.translate(None, _UNPRINTED))
    lines = content.count(b"\n") + content.count(b"\r")
    return (len(content) - unprinted - lines) >> 7 >= unprinted
