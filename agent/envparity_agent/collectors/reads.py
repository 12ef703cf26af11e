"""Which files collectors read, as patterns of their paths: what has to be copied of a tree that cannot be opened."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

# the site directories of Python, and uv's cache of what it links into them: https://docs.astral.sh/uv/concepts/cache/
SITES = r"(?:(?:site|dist)-packages|archive-v0/[^/]+)/"


@dataclass(frozen=True)
class Reads:
    """Patterns of paths, as regular expressions for the end of a path from any of its slashes on.

    Directories and symlinks are always there. Paths are written by an attacker: a pattern must not backtrack.
    """

    content: tuple[str, ...] = ()  # of which the content is read
    presence: tuple[str, ...] = ()  # of which only is asked whether they are there, and how large
    deep: tuple[str, ...] = ()  # of which the content is read with the options `verify` or `symbols`


class Wanted:
    """The files that some collectors need."""

    def __init__(self, reads: Iterable[Reads], deep: bool = False) -> None:
        every = tuple(reads)
        self._content = _joined(pattern for one in every for pattern in (*one.content, *(one.deep if deep else ())))
        self._presence = _joined(pattern for one in every for pattern in (*one.presence, *one.deep))

    def content(self, path: str) -> bool:
        """Whether the content of the file at a path is needed."""
        return self._content.fullmatch(path) is not None

    def presence(self, path: str) -> bool:
        """Whether it is needed that there is a file at a path, and its size."""
        return self._presence.fullmatch(path) is not None


def _joined(patterns: Iterable[str]) -> re.Pattern[str]:
    """One pattern for all; one that matches nothing where there is none."""
    alternatives = "|".join(f"(?:{pattern})" for pattern in sorted(set(patterns)))
    return re.compile(rf"(?:.*/)?(?:{alternatives})" if alternatives else r"(?!)", re.DOTALL)
