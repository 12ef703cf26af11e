"""What an agent remembers between two surveys, so that what did not change is not read again."""

from collections.abc import Callable, Hashable, Sequence
from typing import Any, TypeVar

from envparity_agent.collectors.at_once import at_once
from envparity_agent.errors import Unreadable
from envparity_agent.root import Root

_Facts = TypeVar("_Facts")


class Memory:
    """Facts by their place, each with the stamp of what it was read from; what a survey does not use is forgotten.

    Whoever looks at several targets in turn lets it keep everything.
    `lasting` is the part that outlives the process, as JSON has it: name -> what is wanted again in the next survey,
    where it is in `earlier`.
    """

    def __init__(self, earlier: dict[str, Any] | None = None, *, keeps: bool = False) -> None:
        self._keeps = keeps
        self._old: dict[Hashable, tuple[Hashable, Any]] = {}
        self._new: dict[Hashable, tuple[Hashable, Any]] = {}
        self.earlier: dict[str, Any] = earlier or {}
        self.lasting: dict[str, Any] = {}

    def begin(self) -> None:
        """Start a survey: forget what the last one did not ask for."""
        self._old, self._new = {**(self._old if self._keeps else {}), **self._new}, {}
        self.earlier, self.lasting = self.lasting or self.earlier, {}

    def recall(self, key: Hashable, stamp: Hashable, read: Callable[[], _Facts]) -> _Facts:
        """The facts at a place: those remembered where their stamp is the same, else read now.

        A stamp of None is never the same. What `read` raises is raised, and nothing is remembered.
        """
        known = self._known(key, stamp) or (stamp, read())
        self._new[key] = known
        facts: _Facts = known[1]
        return facts

    def recall_all(self, asked: Sequence[tuple[Hashable, Hashable, Callable[[], _Facts]]]) -> list[_Facts]:
        """The facts of several places, as `recall` gives them; what has to be read is read at once."""
        known = [self._known(key, stamp) for key, stamp, _ in asked]
        found = iter(at_once([read for (_, _, read), one in zip(asked, known, strict=True) if one is None]))
        facts: list[_Facts] = []
        for (key, stamp, _), one in zip(asked, known, strict=True):
            self._new[key] = one or (stamp, next(found))
            facts.append(self._new[key][1])
        return facts

    def _known(self, key: Hashable, stamp: Hashable) -> tuple[Hashable, Any] | None:
        known = self._new.get(key) or self._old.get(key)
        return known if known is not None and stamp is not None and known[0] == stamp else None

    def once(self, key: Hashable, read: Callable[[], _Facts]) -> _Facts:
        """Facts that several collectors of one survey ask for: read once, and again in the next survey."""
        if key not in self._new:
            self._new[key] = (None, read())
        facts: _Facts = self._new[key][1]
        return facts


def stamp(root: Root, path: str) -> Hashable:
    """What changes when a file does, None where there is none: device, inode, size, and times of content and inode."""
    try:
        found = root.stat(path)
    except Unreadable:
        return None
    return found and (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
