"""Reads .gitattributes as far as they say how the content of a file is converted when git stores it.

https://git-scm.com/docs/gitattributes, as `convert_attrs` of git understands it.
"""

import os
from dataclasses import dataclass
from enum import Enum

from envparity_agent.collectors.code.files import Budget, opened
from envparity_agent.collectors.code.repository.patterns import Pattern, parse
from envparity_agent.collectors.code.repository.places import Repository
from envparity_agent.collectors.paths import join
from envparity_agent.errors import Unreadable
from envparity_agent.fingerprint import Reason
from envparity_agent.root import MIB

_NAME = ".gitattributes"
_BINARY = ("-diff", "-merge", "-text")  # the macro that git knows by itself


class Conversion(Enum):
    """What is done to the content of a file before it is hashed."""

    NONE = "none"
    LINES = "lines"  # CRLF to LF
    TEXT = "text"  # the same where the content is text
    LFS = "lfs"  # the file is stored elsewhere, and a pointer to it in git
    FOREIGN = "foreign"  # by a program or a way that is not carried out here


@dataclass(frozen=True)
class _Line:
    pattern: Pattern
    words: tuple[str, ...]


@dataclass(frozen=True)
class _File:
    base: bytes
    lines: tuple[_Line, ...] = ()


class Attributes:
    """The attributes of paths in one work tree; each file of them is read once."""

    def __init__(self, repository: Repository, budget: Budget) -> None:
        self._repository = repository
        self._budget = budget
        self._macros: dict[str, tuple[str, ...]] = {"binary": _BINARY}
        self._files: dict[bytes, _File] = {}
        self._own: _File | None = None

    def conversion(self, path: bytes) -> Conversion:
        """How a path's content is converted; raises Unreadable."""
        said = self._said(path)
        if said.get("filter") == "lfs":
            return Conversion.LFS
        foreign = (said.get(name, "") not in ("", "unset") for name in ("filter", "ident", "working-tree-encoding"))
        if any(foreign):
            return Conversion.FOREIGN
        text = said.get("text") or {"input": "set"}.get(said.get("crlf", ""), said.get("crlf", ""))
        if text == "unset":
            return Conversion.NONE
        if text == "set" or (text != "auto" and said.get("eol") in ("lf", "crlf")):
            return Conversion.LINES
        converting = self._repository.settings.get("core.autocrlf", "false").lower() == "input" or (
            self._repository.flag("core.autocrlf", default=False)
        )
        return Conversion.TEXT if text == "auto" or converting else Conversion.NONE

    def _said(self, path: bytes) -> dict[str, str]:
        """Attribute -> set, unset or its value; what is nearer to the file wins, and the repository's own file."""
        said: dict[str, str] = {}
        for file in self._that_apply(path):
            relative = path[len(file.base) + 1 :] if file.base else path
            for line in file.lines:
                if line.pattern.matches(relative, self._budget):
                    for word in line.words:
                        self._take(word, said)
        return said

    def _take(self, word: str, said: dict[str, str]) -> None:
        name, equals, value = word.partition("=")
        bare = name.lstrip("-!")
        said[bare] = value if equals else {"-": "unset", "!": ""}.get(name[:1], "set")
        if said[bare] == "set":
            for inner in self._macros.get(bare, ()):
                name, equals, value = inner.partition("=")
                said[name.lstrip("-!")] = value if equals else {"-": "unset", "!": ""}.get(name[:1], "set")

    def _that_apply(self, path: bytes) -> list[_File]:
        if self._own is None:
            self._own = self._read(join(self._repository.common, "info/attributes"), b"", macros=True)
        found = []
        *parents, _ = path.split(b"/")
        for depth in range(len(parents) + 1):
            base = b"/".join(parents[:depth])
            if base not in self._files:
                place = join(self._repository.top, os.fsdecode(base)) if base else self._repository.top
                self._files[base] = self._read(join(place, _NAME), base, macros=not base)
            found.append(self._files[base])
        return [*found, self._own]

    def _read(self, path: str, base: bytes, macros: bool) -> _File:
        content = content_of(self._repository, path)
        lines = []
        for text in content.removeprefix(b"\xef\xbb\xbf").split(b"\n"):
            name, words = _words(text.strip(b" \t\r"))
            if name.startswith(b"[attr]"):
                if macros:
                    self._macros[name[6:].decode("utf-8", "replace")] = words
                continue
            pattern = parse(name) if name and not name.startswith((b"#", b"!")) else None
            if pattern and not pattern.directories:
                lines.append(_Line(pattern, words))
        return _File(base, tuple(lines))


def content_of(repository: Repository, path: str) -> bytes:
    """A file of rules, empty where there is none; one that is a symlink is not followed, as in git."""
    try:
        with opened(repository.root, path) as (descriptor, size):
            if size > MIB:
                raise Unreadable(path, Reason.CAP)
            return os.read(descriptor, MIB)
    except Unreadable as problem:
        if problem.reason in (Reason.VANISHED, Reason.NOT_REGULAR, Reason.SYMLINKS):
            return b""
        raise


def _words(line: bytes) -> tuple[bytes, tuple[str, ...]]:
    """The pattern and the attributes of a line; a pattern with blanks is quoted."""
    if line.startswith(b'"') and (end := line.find(b'"', 1)) > 0:
        name, rest = line[1:end], line[end + 1 :]
    else:
        name, _, rest = line.replace(b"\t", b" ").partition(b" ")
    return name, tuple(rest.decode("utf-8", "replace").split())
