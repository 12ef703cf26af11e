"""Compares the files of a work tree with the index: what was modified, deleted or never added.

Ignored files are no changes. A file that is there is compared whatever the index asks git to assume about it: what
runs is the file.
"""

import os
import stat
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import TypeVarTuple

from envparity_agent.collectors.code.files import Budget, listing
from envparity_agent.collectors.code.repository import places
from envparity_agent.collectors.code.repository.attributes import content_of
from envparity_agent.collectors.code.repository.blobs import Blobs
from envparity_agent.collectors.code.repository.index import (
    EXECUTABLE,
    FILE,
    GITLINK,
    SYMLINK,
    TREE,
    Directory,
    Entry,
    Index,
    below,
)
from envparity_agent.collectors.code.repository.patterns import Rules, ignored, is_ignored
from envparity_agent.collectors.code.repository.places import Repository
from envparity_agent.collectors.paths import join
from envparity_agent.errors import Unreadable
from envparity_agent.fingerprint import Reason

_Seen = TypeVarTuple("_Seen")

GONE = ""
_STAMP = struct.Struct(">5I")
_BITS = 0xFFFFFFFF
_SECOND = 1_000_000_000


@dataclass
class Found:
    """Path -> its mode and id as it lies there, GONE where it does not; and why not all could be told."""

    changes: dict[bytes, str] = field(default_factory=dict)
    reasons: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class _Visit:
    """A directory to look into: what is tracked in it, and which rules hold in it, the nearest first."""

    path: bytes
    tracked: Directory
    rules: tuple[Rules, ...]
    excluded: bool  # it is ignored, and so is all in it that is not tracked


class WorkTree:
    """The walk through one work tree."""

    def __init__(
        self,
        repository: Repository,
        index: Index,
        blobs: Blobs,
        budget: Budget,
        expand: Callable[[bytes], Directory],
        inner: Callable[[Repository], str],
    ) -> None:
        """`expand` reads the tree of a sparse directory; `inner` tells the state of a repository inside this one."""
        self._repository = repository
        self._root = repository.root
        self._index = index
        self._blobs = blobs
        self._budget = budget
        self._expand = expand
        self._inner = inner
        self._trusts_mode = repository.flag("core.filemode", default=True)
        self._has_symlinks = repository.flag("core.symlinks", default=True)
        self._found = Found()
        self._pending: list[_Visit] = []

    def compare(self) -> Found:
        """Walk through all of it; where a cap is reached, what was found until then."""
        try:
            own = content_of(self._repository, join(self._repository.common, "info/exclude"))
            self._pending = [_Visit(b"", self._index.top, (Rules(b"", ignored(own)),), excluded=False)]
            while self._pending:
                self._noted(self._visit, self._pending.pop())
        except Unreadable as problem:
            self._found.reasons.add(problem.reason)
        return self._found

    def _noted(self, look: Callable[[*_Seen], None], *seen: *_Seen) -> None:
        """Look at one thing; where it cannot be read, that is noted and the others are looked at all the same."""
        try:
            look(*seen)
        except Unreadable as problem:
            if problem.reason == Reason.CAP:
                raise
            self._found.reasons.add(problem.reason)

    def _visit(self, visit: _Visit) -> None:
        entries = listing(self._root, self._place(visit.path), self._budget)
        if ".gitignore" in entries and not visit.excluded:
            own = content_of(self._repository, join(self._place(visit.path), ".gitignore"))
            visit = replace(visit, rules=(Rules(visit.path, ignored(own)), *visit.rules))
        here = {os.fsencode(name): status for name, status in entries.items() if name != ".git"}
        for name, status in here.items():
            self._noted(self._look, visit, name, status)
        for name, child in visit.tracked.children.items():
            if name not in here:
                self._found.changes.update(dict.fromkeys(_gone(below(visit.path, name), child), GONE))

    def _look(self, visit: _Visit, name: bytes, status: os.stat_result) -> None:
        """One entry of a directory, against what is tracked under its name."""
        path, child = below(visit.path, name), visit.tracked.children.get(name)
        is_directory = stat.S_ISDIR(status.st_mode)
        if isinstance(child, Entry) and not is_directory and child.mode not in (GITLINK, TREE):
            self._file(path, child, status)
            return
        if is_directory and isinstance(child, Entry) and child.mode == GITLINK:
            self._submodule(path, child)
            return
        excluded = visit.excluded or is_ignored(visit.rules, path, is_directory, self._budget)
        if is_directory and isinstance(child, Entry) and child.mode == TREE:
            child = self._expand(child.id)  # of a sparse index, although it is there
        if isinstance(child, Directory) and is_directory:
            self._pending.append(_Visit(path, child, visit.rules, excluded))
            return
        if child is not None:
            self._found.changes.update(dict.fromkeys(_gone(path, child), GONE))
        if not excluded:
            self._untracked(path, status, visit.rules)

    def _file(self, path: bytes, entry: Entry, status: os.stat_result) -> None:
        mode = self._mode(status, entry)
        if not mode:
            self._found.changes[path] = GONE  # a FIFO, a socket or a device in its place
            return
        if mode == entry.mode and not entry.intended and not entry.merging and self._is_as_added(entry, status):
            return
        id = self._blobs.id(path, status, entry.id)
        if (mode, id) != (entry.mode, entry.id) or entry.intended or entry.merging:
            self._found.changes[path] = state(mode, id)

    def _is_as_added(self, entry: Entry, status: os.stat_result) -> bool:
        """Whether times and size are those that the index holds, and old enough to tell."""
        modified, changed = divmod(status.st_mtime_ns, _SECOND), divmod(status.st_ctime_ns, _SECOND)
        stamp = _STAMP.pack(*(number & _BITS for number in (*changed, *modified, status.st_size)))
        return stamp == entry.stamp and modified[0] < self._index.written

    def _mode(self, status: os.stat_result, entry: Entry | None = None) -> int:
        """The mode that git would give, 0 for what it cannot hold."""
        if stat.S_ISLNK(status.st_mode):
            return SYMLINK
        if not stat.S_ISREG(status.st_mode):
            return 0
        if entry and entry.mode == SYMLINK and not self._has_symlinks:
            return SYMLINK  # checked out as a file that holds the target
        if entry and entry.mode in (FILE, EXECUTABLE) and not self._trusts_mode:
            return entry.mode
        return EXECUTABLE if self._trusts_mode and status.st_mode & stat.S_IXUSR else FILE

    def _submodule(self, path: bytes, entry: Entry) -> None:
        there = places.at(self._root, self._place(path))
        if there is None:
            return  # not initialised: there is nothing of it
        now = self._inner(there)
        if now != state(GITLINK, entry.id):
            self._found.changes[path] = now

    def _untracked(self, path: bytes, status: os.stat_result, rules: tuple[Rules, ...]) -> None:
        mode = self._mode(status)
        if mode:
            self._found.changes[path] = state(mode)  # it is there, also where it cannot be read
            self._found.changes[path] = state(mode, self._blobs.id(path, status))
        elif stat.S_ISDIR(status.st_mode):
            there = places.at(self._root, self._place(path))
            if there is None:
                self._pending.append(_Visit(path, Directory(), rules, excluded=False))
            else:
                self._found.changes[path] = self._inner(there)

    def _place(self, path: bytes) -> str:
        return join(self._repository.top, os.fsdecode(path)) if path else self._repository.top


def state(mode: int, id: bytes = b"", inner: str = "") -> str:
    """How a thing lies there, in words: mode, id and, of a submodule, the hash of its changes."""
    return f"{mode:o} {id.hex()} {inner}".rstrip()


def _gone(path: bytes, tracked: Entry | Directory) -> Iterator[bytes]:
    """The paths of all that is tracked at a path and should be there."""
    pending: list[tuple[bytes, Entry | Directory]] = [(path, tracked)]
    while pending:
        place, one = pending.pop()
        if isinstance(one, Directory):
            pending.extend((below(place, name), child) for name, child in one.children.items())
        elif not one.skipped:
            yield place
