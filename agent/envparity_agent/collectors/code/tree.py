"""Hashes a directory of code that no version control describes: all of its files, each by content.

A CRLF and an LF checkout of one text are not the same here: nothing says which files are texts, and a script with
CRLF does not run where one with LF does.
"""

import hashlib
import os
import stat
from dataclasses import dataclass, field

from envparity_agent.collectors.code.files import Budget, content_hash, holds_secrets, link_target, listing, settled
from envparity_agent.collectors.memory import Memory
from envparity_agent.collectors.paths import join
from envparity_agent.errors import Unreadable
from envparity_agent.fingerprint import Reason
from envparity_agent.root import MIB, Root

# what tools make from the code or fetch for it: it is not the application's own
_LEFT_OUT = frozenset({
    "__pycache__", ".git", ".hg", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".svn", ".tox", "node_modules",
})  # fmt: skip
_VENV = "pyvenv.cfg"


@dataclass
class Tree:
    """Path of each regular file -> its hash, how everything lies there, and why not all could be read."""

    files: dict[str, str] = field(default_factory=dict)
    lines: dict[bytes, str] = field(default_factory=dict)
    reasons: set[str] = field(default_factory=set)

    @property
    def hash(self) -> str:
        """SHA-256 over the path, the kind and the content of everything, and whether it may be run."""
        digest = hashlib.sha256()
        for path, line in sorted(self.lines.items()):
            digest.update(b"%b\0%b\0" % (path, line.encode()))
        return f"sha256:{digest.hexdigest()}"


def limits() -> Budget:
    """What one directory may cost."""
    return Budget(files=50_000, bytes=1024 * MIB)


def tree(root: Root, directory: str, memory: Memory, budget: Budget) -> Tree:
    """All that lies in a directory; what could not be read is in `reasons`, and then the hash says nothing.

    Left out are virtual environments, what Python compiles, what version control keeps, what npm fetches, and files of
    environment variables, whose content is told by keyed hashes only.
    """
    found = Tree()
    pending = [""]
    while pending:
        inside = pending.pop()
        try:
            entries = listing(root, join(directory, inside) if inside else directory, budget)
            for name, status in entries.items() if not inside or _VENV not in entries else ():
                path = join(inside, name)
                if name in _LEFT_OUT or name.endswith(".pyc") or holds_secrets(os.fsencode(name)):
                    continue
                if stat.S_ISDIR(status.st_mode):
                    pending.append(path)
                else:
                    _take(root, directory, path, status, memory, budget, found)
        except Unreadable as problem:
            found.reasons.add(problem.reason)
            if problem.reason == Reason.CAP:
                break
    return found


def _take(
    root: Root, directory: str, path: str, status: os.stat_result, memory: Memory, budget: Budget, found: Tree
) -> None:
    """Add one thing that is no directory; what is no file and no symlink is there, and has no content."""
    place, key = join(directory, path), os.fsencode(path)
    try:
        if stat.S_ISLNK(status.st_mode):
            found.lines[key] = f"link {link_target(root, place).hex()}"
        elif stat.S_ISREG(status.st_mode):
            content = memory.recall(
                ("content", status.st_dev, status.st_ino), settled(status), lambda: content_hash(root, place, budget)
            )
            found.files[path] = content
            found.lines[key] = f"{'program' if status.st_mode & stat.S_IXUSR else 'file'} {content}"
    except Unreadable as problem:
        if problem.reason == Reason.CAP:
            raise
        found.reasons.add(problem.reason)
