"""Reads small files below a root, and keeps why one could not be read."""

from envparity_agent.errors import Unreadable
from envparity_agent.root import MIB, Root


class Files:
    """What is not there is None, and what cannot be read is None with its reason kept: the section is partial then."""

    def __init__(self, root: Root) -> None:
        self.root = root
        self.reasons: set[str] = set()

    def text(self, path: str) -> str | None:
        """The text of a file that some systems have, and others do not."""
        content = self.content(path)
        return None if content is None else content.decode("utf-8", "replace")

    def content(self, path: str, cap: int = MIB) -> bytes | None:
        """The bytes of such a file, at most `cap`."""
        try:
            return self.root.read_if_there(path, cap)
        except Unreadable as problem:
            self.reasons.add(problem.reason)
            return None

    def required(self, path: str) -> str | None:
        """The text of a file that every system has: it cannot be read, also where it is not there."""
        try:
            return self.root.read(path).decode("utf-8", "replace")
        except Unreadable as problem:
            self.reasons.add(problem.reason)
            return None

    def link(self, path: str) -> str | None:
        """The text of a symlink."""
        try:
            return self.root.link(path)
        except Unreadable as problem:
            self.reasons.add(problem.reason)
            return None

    def exists(self, path: str) -> bool:
        """Whether something is there; where that cannot be known it is not, with its reason kept."""
        try:
            return self.root.stat(path) is not None
        except Unreadable as problem:
            self.reasons.add(problem.reason)
            return False

    def is_directory(self, path: str) -> bool:
        """Whether a directory is there; where that cannot be known it is not, with its reason kept."""
        try:
            return self.root.is_directory(path)
        except Unreadable as problem:
            self.reasons.add(problem.reason)
            return False

    def names(self, path: str) -> list[str]:
        """The names in a directory, none where it is not there, or cannot be read: then with its reason kept."""
        try:
            return self.root.names(path)
        except Unreadable as problem:
            self.reasons.add(problem.reason)
            return []
