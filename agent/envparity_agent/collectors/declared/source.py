"""A file that declares something: its content, and how the files beside it are read."""

import os
from dataclasses import dataclass

from envparity_agent.errors import Unreadable, UsageError
from envparity_agent.fingerprint import Reason
from envparity_agent.root import MIB, Root

MAX_FILE = 16 * MIB
_WORDS = {
    Reason.CAP: f"larger than {MAX_FILE // MIB} MiB",
    Reason.NOT_REGULAR: "not a regular file",
    Reason.PERMISSION: "permission denied",
    Reason.SYMLINKS: "a loop of links",
    Reason.VANISHED: "there is no such file",
}


@dataclass(frozen=True)
class Source:
    """One file by the name that a person gave it; `root` and its `path` there are None and empty for a pipe."""

    name: str
    content: bytes
    root: Root | None = None
    path: str = ""

    @property
    def base(self) -> str:
        """The file's own name."""
        return os.path.basename(self.name)

    @property
    def directory(self) -> str:
        """The name of the directory that it lies in; empty for a pipe."""
        return os.path.basename(os.path.dirname(self.path))

    def error(self, line: int, what: str, advice: str = "") -> UsageError:
        """What is wrong with the file, and where; line 0 stands for all of it."""
        return UsageError(f"{self.name}, line {line}: {what}" if line else f"{self.name}: {what}", advice)

    def text(self) -> str:
        """The content as text, without a byte order mark; raises UsageError."""
        if len(self.content) > MAX_FILE:
            raise self.error(0, _WORDS[Reason.CAP])
        try:
            text = self.content.decode("utf-8-sig")
        except UnicodeDecodeError as problem:
            raise self.error(self.content.count(b"\n", 0, problem.start) + 1, "not UTF-8 text") from None
        if "\0" in text:
            raise self.error(text.count("\n", 0, text.index("\0")) + 1, "not text: it has a NUL")
        return text

    def beside(self, path: str, line: int) -> "Source | None":
        """A file that this one names, relative to its own directory; None for a pipe, which has none.

        Raises UsageError, with the line that names it, where it cannot be read.
        """
        if self.root is None:
            return None
        place = os.path.normpath(os.path.join(os.path.dirname(self.path), path))
        try:
            content = self.root.read(place, MAX_FILE)
        except Unreadable as problem:
            raise self.error(line, f"{path}: {_WORDS.get(Reason(problem.reason), problem.reason)}") from None
        return Source(os.path.normpath(os.path.join(os.path.dirname(self.name), path)), content, self.root, place)
