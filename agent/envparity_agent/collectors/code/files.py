"""Reads a directory of code as it lies there: symlinks are told and never followed, every read counts to a budget."""

import hashlib
import os
import stat
import time
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from envparity_agent.collectors.paths import join
from envparity_agent.errors import Unreadable
from envparity_agent.fingerprint import Reason
from envparity_agent.root import MIB, Root

_SETTLED = 2  # seconds: a file may change again within one tick of the clock that stamps it


@dataclass
class Budget:
    """What may still be spent on one application; what is spent beyond it is `cap`."""

    files: int = 300_000
    bytes: int = 4096 * MIB
    steps: int = 20_000_000  # of matching names against patterns

    def spend(self, path: str, files: int = 0, bytes: int = 0, steps: int = 0) -> None:
        """Take from what is left; raises Unreadable where it does not suffice."""
        self.files -= files
        self.bytes -= bytes
        self.steps -= steps
        if min(self.files, self.bytes, self.steps) < 0:
            raise Unreadable(path, Reason.CAP)


def holds_secrets(name: bytes) -> bool:
    """Whether a file is one of environment variables: their values leave the host by keyed hashes only."""
    return name == b".env" or name.startswith(b".env.")


def listing(root: Root, path: str, budget: Budget) -> dict[str, os.stat_result]:
    """The entries of a directory, each with the status of itself and not of what it leads to; raises Unreadable."""
    found = {}
    with root.open(path, os.O_RDONLY | os.O_DIRECTORY) as descriptor, os.scandir(descriptor) as entries:
        for entry in entries:
            budget.spend(path, files=1)
            try:
                found[entry.name] = entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue  # deleted since it was listed
            except OSError:
                raise Unreadable(join(path, entry.name), Reason.ERROR) from None
    return found


def link_target(root: Root, path: str) -> bytes:
    """What a symlink says; raises Unreadable where it is none any more."""
    with root.open(path, os.O_PATH | os.O_NOFOLLOW) as handle:
        try:
            return os.fsencode(os.readlink("", dir_fd=handle))
        except OSError:
            raise Unreadable(path, Reason.VANISHED) from None


@contextmanager
def opened(root: Root, path: str) -> Iterator[tuple[int, int]]:
    """The descriptor and the size of a regular file that is no symlink; raises Unreadable."""
    # O_PATH first: opening a device or a FIFO for reading may already do something
    with root.open(path, os.O_PATH | os.O_NOFOLLOW) as handle:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise Unreadable(path, Reason.NOT_REGULAR)
    with root.open(path, os.O_RDONLY | os.O_NOFOLLOW) as descriptor:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise Unreadable(path, Reason.NOT_REGULAR)
        yield descriptor, status.st_size


def chunks(root: Root, path: str, budget: Budget) -> Iterator[bytes]:
    """The content of a regular file, its size as a decimal number first; raises Unreadable where it changes meanwhile.

    The size comes first as git hashes it before the content.
    """
    with opened(root, path) as (descriptor, size):
        budget.spend(path, bytes=size)
        yield b"%d" % size
        left = size
        try:
            while chunk := os.read(descriptor, MIB):
                left -= len(chunk)
                if left < 0:
                    break
                yield chunk
        except OSError:
            raise Unreadable(path, Reason.ERROR) from None
    if left:
        raise Unreadable(path, Reason.VANISHED)


def content_hash(root: Root, path: str, budget: Budget) -> str:
    """`sha256:` and the SHA-256 of a regular file's content; raises Unreadable."""
    parts = chunks(root, path, budget)
    next(parts)  # the size
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return f"sha256:{digest.hexdigest()}"


def settled(status: os.stat_result) -> Hashable:
    """The stamp of a file's content, None where it changed just now and may do so again without another stamp."""
    if abs(time.time() - status.st_ctime) < _SETTLED:
        return None
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns
