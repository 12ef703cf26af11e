"""Which commit a directory's code is of, and whether it is that commit's: read from the files of git, without git.

A repository is as hostile as anything else: neither its hooks nor its filters nor its configuration can make this
reader run anything, as it runs nothing. It differs from `git status` where that asks for the user's own settings
(core.excludesFile, a global core.autocrlf are not read), and where the index asks git to look away
(`--assume-unchanged`, `--skip-worktree`): here a file that is there and differs is a change.
"""

import hashlib
import os
from collections.abc import Mapping

from envparity_agent.collectors.code.files import Budget, holds_secrets
from envparity_agent.collectors.code.repository import places
from envparity_agent.collectors.code.repository.blobs import Blobs
from envparity_agent.collectors.code.repository.index import GITLINK, TREE, Directory, Entry, Index, read_index
from envparity_agent.collectors.code.repository.objects import Objects
from envparity_agent.collectors.code.repository.places import Head, Repository
from envparity_agent.collectors.code.repository.staged import staged
from envparity_agent.collectors.code.repository.worktree import GONE, WorkTree, state
from envparity_agent.collectors.memory import Memory
from envparity_agent.collectors.redaction import url
from envparity_agent.errors import Unreadable
from envparity_agent.fingerprint import Attributes, Reason, Value
from envparity_agent.root import Root

_MAX_NESTING = 8  # submodules in submodules


def checkout(root: Root, directory: str, memory: Memory, reasons: set[str]) -> Attributes:
    """The checkout that a directory lies in: `commit`, `branch`, `dirty`, `changes`, `source`; {} where there is none.

    There is no `commit` before the first one, no `branch` where HEAD is detached, no `changes` where it is clean.
    Where it cannot be told whether there are changes, `dirty` is left out, and `reasons` says why; where not all of the
    changes could be read, `changes` is. Raises Unreadable where there is a repository that cannot be read at all.
    """
    repository = places.find(root, directory)
    if repository is None:
        return {}
    head = places.head(repository)
    facts: dict[str, Value] = {"commit": head.commit} if head.commit else {}
    if head.branch:
        facts["branch"] = head.branch
    if source := repository.settings.get("remote.origin.url"):
        facts["source"] = _address(source)
    try:
        index = read_index(repository)
    except Unreadable as problem:
        reasons.add(problem.reason)
        return facts
    if not _is_tracked(repository, index, directory):
        return {}
    unread: set[str] = set()
    changes = _Examination(memory, unread).changes(repository, head, index)
    reasons |= unread
    if changes or not unread:
        facts["dirty"] = bool(changes)
    if changes and not unread:
        facts["changes"] = _hash(changes)
    return facts


def _address(remote: str) -> str:
    """A remote's address without credentials; the user of `git@host:path` is everybody's, and stays."""
    is_shared = remote.rpartition("@")[0] == "git" and "://" not in remote
    return remote if is_shared else url(remote)


def _is_tracked(repository: Repository, index: Index, directory: str) -> bool:
    """Whether the repository tracks anything in a directory: else it says nothing about it, as one of a home does."""
    inside = os.fsencode(repository.root.resolved(directory).removeprefix(repository.top).strip("/"))
    place: Directory | Entry | None = index.top
    for name in inside.split(b"/") if inside else ():
        place = place.children.get(name) if isinstance(place, Directory) else place
    return isinstance(place, Directory) or (place is not None and place.mode == TREE)


def _hash(changes: Mapping[bytes, str]) -> str:
    digest = hashlib.sha256()
    for path, now in sorted(changes.items()):
        told = now.partition(" ")[0] if holds_secrets(path.rpartition(b"/")[2]) else now
        digest.update(b"%b\0%b\0" % (path, told.encode()))
    return f"sha256:{digest.hexdigest()}"


class _Examination:
    """One look at a checkout and at those inside it, which share a budget."""

    def __init__(self, memory: Memory, reasons: set[str]) -> None:
        self._memory = memory
        self._reasons = reasons
        self._budget = Budget()

    def changes(self, repository: Repository, head: Head, index: Index, nesting: int = 0) -> dict[bytes, str]:
        """Path -> how it lies there, of all that differs between a commit and what lies in its work tree."""
        with Objects(repository) as objects:
            walk = WorkTree(
                repository,
                index,
                Blobs(repository, self._budget, self._memory),
                self._budget,
                expand=lambda found: _expanded(objects, found),
                inner=lambda found: self._inner(found, nesting + 1),
            )
            found = walk.compare()
            self._reasons |= found.reasons
            try:
                for path in self._staged(repository, objects, head, index):
                    found.changes.setdefault(path, _in_index(index, path))
            except Unreadable as problem:
                self._reasons.add(problem.reason)
        return found.changes

    def _staged(self, repository: Repository, objects: Objects, head: Head, index: Index) -> tuple[bytes, ...]:
        commit = bytes.fromhex(head.commit) if head.commit else None
        there = repository.root.stat(repository.directory)
        return self._memory.recall(
            ("staged", there and (there.st_dev, there.st_ino)),
            index.stamp and (index.stamp, commit),
            lambda: tuple(staged(objects, index, commit, self._budget)),
        )

    def _inner(self, repository: Repository, nesting: int) -> str:
        """The state of a repository inside another one: its commit and its own changes."""
        if nesting > _MAX_NESTING:
            raise Unreadable(repository.top, Reason.CAP)
        head = places.head(repository)
        changes = self.changes(repository, head, read_index(repository), nesting)
        return state(GITLINK, bytes.fromhex(head.commit or ""), _hash(changes) if changes else "")


def _in_index(index: Index, path: bytes) -> str:
    place: Directory | Entry | None = index.top
    for name in path.split(b"/"):
        place = place.children.get(name) if isinstance(place, Directory) else None
    return state(place.mode, place.id) if isinstance(place, Entry) else GONE


def _expanded(objects: Objects, tree: bytes) -> Directory:
    """What a sparse index leaves out of one directory; the directories in it are left out in turn."""
    top = Directory()
    for name, member in objects.tree(tree).items():
        top.children[name] = Entry(member.mode, member.id, b"", skipped=True)
    return top
