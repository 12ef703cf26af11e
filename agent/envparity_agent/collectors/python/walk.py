"""Walks over a root for Python environments at unusual places, within a budget, and goes on where it stopped.

The walk stays on file systems with local storage, follows no symlink, and leaves out the storage of container engines:
what lies there belongs to containers and images, not to the host. What it leaves out, it says.
"""

import os
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from envparity_agent.errors import Unreadable
from envparity_agent.fingerprint import Reason
from envparity_agent.mounts import BIND, LOCAL, PASSING, PSEUDO
from envparity_agent.root import Root

# lib/python3.11, lib/python3.13t (free-threaded), lib/pypy3.10
LIBRARY = re.compile(r"^(?:python|pypy)(\d+\.\d+t?)$")
_VERSIONED = re.compile(r"^(?:python|pypy)\d")  # Debian shares lib/python3/dist-packages between versions
SITE_NAMES = frozenset({"site-packages", "dist-packages"})

# what the data directories of Docker, containers/storage (Podman) and containerd hold, wherever they lie
_ENGINE_STORAGE = (
    frozenset({"containers", "image", "network", "volumes"}),
    frozenset({"overlay-containers", "overlay-images", "overlay-layers"}),
    frozenset({"io.containerd.content.v1.content", "io.containerd.metadata.v1.bolt"}),
)
_WITHOUT_ENVIRONMENTS = frozenset({"__pycache__", *SITE_NAMES})


@dataclass
class Pass:
    """What one pass over the root has found so far."""

    places: list[str] = field(default_factory=list)  # prefixes with a venv or an interpreter, and site directories
    skipped: dict[str, str] = field(default_factory=dict)  # what was not looked into, and why
    reasons: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, kept: Any) -> "Pass":
        """A pass as it was kept; raises AttributeError, KeyError or TypeError for what is none."""
        _texts([*kept["skipped"].values()])
        return cls(_texts(kept["places"]), dict(kept["skipped"]), _texts(kept["reasons"]))


def _texts(kept: Any) -> list[str]:
    if not isinstance(kept, list) or not all(isinstance(one, str) for one in kept):
        raise TypeError("no list of texts")
    return kept


@dataclass
class Walk:
    """How far the walk has come: the last whole pass, the one that is under way, and where that goes on."""

    passes: int = 0
    last: Pass = field(default_factory=Pass)
    current: Pass = field(default_factory=Pass)
    pending: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, kept: Any) -> "Walk":
        """A walk as it was kept; what is not one is a walk that has not begun."""
        try:
            last, current = Pass.of(kept["last"]), Pass.of(kept["current"])
            return cls(int(kept["passes"]), last, current, _texts(kept["pending"]))
        except (AttributeError, KeyError, OverflowError, TypeError, ValueError):
            return cls()

    def known(self) -> Pass:
        """What both passes have found together."""
        return Pass(
            list(dict.fromkeys((*self.last.places, *self.current.places))),
            {**self.last.skipped, **self.current.skipped},
            sorted({*self.last.reasons, *self.current.reasons, *([] if self.passes else [Reason.CAP])}),
        )


def walk(root: Root, done: Walk, first: Sequence[str], budget: float) -> None:
    """Go on for so many seconds, or to the end of the pass; `first` are directories that a new pass begins with."""
    deadline = time.monotonic() + budget
    if not done.pending:
        done.current = Pass()
        done.pending = ["", *(path.strip("/") for path in reversed(first))]
    while done.pending and time.monotonic() < deadline:
        _visit(root, done.pending, done.current)
    if not done.pending:
        done.passes += 1
        done.last, done.current = done.current, Pass()


def _visit(root: Root, pending: list[str], found: Pass) -> None:
    """Look into the next directory and put those below it in its place, in sorted order."""
    path = pending.pop()
    if not _is_entered(path, root.mounts, found):
        return
    try:
        with root.open(path, os.O_RDONLY | os.O_DIRECTORY) as descriptor:
            directories, files = _entries(descriptor)
    except Unreadable as problem:
        if problem.reason != Reason.VANISHED:  # what is gone is not there
            found.skipped[path] = problem.reason
            found.reasons.append(problem.reason)
        return
    if any(storage <= directories for storage in _ENGINE_STORAGE):
        found.skipped[path] = "storage of a container engine"
        return
    if "pyvenv.cfg" in files:
        found.places.append(path)
    parent, _, name = path.rpartition("/")
    if LIBRARY.match(name) and "os.py" in files:  # PREFIX/lib/python3.11
        found.places.append(parent.rpartition("/")[0])
    if _VERSIONED.match(name):
        found.places.extend(f"{path}/{site}" for site in sorted(SITE_NAMES & directories))
        if directories & SITE_NAMES or "os.py" in files:
            return  # a standard library, or what is installed beside it: no environment lies in one
    below = sorted(directories - _WITHOUT_ENVIRONMENTS, reverse=True)
    pending.extend(f"{path}/{name}" if path else name for name in below)


def _is_entered(path: str, mounts: Mapping[str, str], found: Pass) -> bool:
    kind = mounts.get(path, "")
    if not kind or kind in LOCAL:
        return True
    if kind not in PSEUDO | {BIND}:
        found.skipped[path] = f"file system of type {kind}"
        if kind not in PASSING:
            found.reasons.append(Reason.UNSUPPORTED)  # environments may be there, as on NFS
    return False


def _entries(descriptor: int) -> tuple[set[str], set[str]]:
    directories: set[str] = set()
    files: set[str] = set()
    with os.scandir(descriptor) as entries:
        for entry in entries:
            (directories if entry.is_dir(follow_symlinks=False) else files).add(entry.name)
    return directories, files
