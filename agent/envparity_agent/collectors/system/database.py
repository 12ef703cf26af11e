"""What a reader of one package manager's database gives: the contract of `dpkg.py`, `rpm.py` and `apk.py`.

Each of them has

    stamps(root)          what changes when the database does
    read(root)            the Database, None where the root has none; raises Unreadable
    files(root, wanted)   for each package its label and those of its files that are wanted; raises Unreadable
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from envparity_agent.fingerprint import MAX_ITEMS


@dataclass(frozen=True)
class Package:
    """One installed package, each field as its package manager writes it."""

    manager: str  # deb, rpm or apk
    name: str
    version: str
    architecture: str
    source: str = ""
    state: str = ""  # where it is not wholly installed
    content: str = ""  # a hash with the name of its algorithm

    @property
    def label(self) -> str:
        """What people call it: `deb:python3-yaml 6.0-3`."""
        return f"{self.manager}:{self.name} {self.version}"


@dataclass(frozen=True)
class Database:
    """The packages that could be read, in the order of their installation where that is known; why not all of them."""

    packages: tuple[Package, ...]
    reasons: frozenset[str] = frozenset()


Wanted: TypeAlias = Callable[[list[bytes]], Collection[bytes]]  # those of some paths, relative to the root
Files: TypeAlias = Iterator[tuple[str, Collection[bytes]]]


def records(content: bytes) -> Iterator[bytes]:
    """What stands between the empty lines of a file; one more than MAX_ITEMS where there are more than those."""
    start = 0
    for _ in range(MAX_ITEMS + 1):  # one after the other: a hostile file is nothing but lines
        if start >= len(content):
            return
        end = content.find(b"\n\n", start)
        end = len(content) if end < 0 else end
        yield content[start:end]
        start = end + 2
