"""Which package of the operating system owns a path."""

from collections.abc import Collection, Mapping
from functools import partial

from envparity_agent.collectors.memory import Memory
from envparity_agent.collectors.system.database import Wanted
from envparity_agent.collectors.system.packages import FORMATS, Format
from envparity_agent.errors import Unreadable
from envparity_agent.fingerprint import Reason
from envparity_agent.root import Root

MAX_LISTED = 3_000_000  # paths of all packages of a root together
MAX_KEPT = 500_000

# directories that are the same as theirs below usr/ wherever /usr is merged: https://wiki.debian.org/UsrMerge
_MERGED = frozenset({"bin", "sbin", "lib", "lib32", "lib64", "libx32"})
_SHARED = ""  # a directory of several packages belongs to none of them


class Owners:
    """The owners of paths; `reasons` are the codes why there may be more than are known."""

    def __init__(self, labels: Mapping[str, str], reasons: frozenset[str] = frozenset()) -> None:
        self._labels = labels
        self.reasons = reasons

    def of(self, path: str) -> str | None:
        """The package that owns a path below the root: `deb:python3-yaml 6.0-3`; None where none or several do."""
        return self._labels.get(_normal(path)) or None


def owners(root: Root, memory: Memory, paths: frozenset[str] | None = None) -> Owners:
    """The owners of native libraries and of what belongs to Python; with `paths`, of exactly these.

    Read once for as long as no package manager changes its database.
    """
    wanted = _code if paths is None else _among(paths)
    labels: dict[str, str] = {}
    reasons: set[str] = set()
    for manager, reader in FORMATS.items():
        stamps = reader.stamps(root)
        found, why = memory.recall(("owners", manager, stamps, paths), stamps, partial(_owned, root, reader, wanted))
        for path, label in found.items():
            labels[path] = label if path not in labels else _SHARED
        reasons |= why
    return Owners(labels, frozenset(reasons))


def _owned(root: Root, reader: Format, wanted: Wanted) -> tuple[dict[str, str], frozenset[str]]:
    """Path -> label for one package manager; what could be read stays."""
    labels: dict[str, str] = {}
    kept = 0
    try:
        for label, files in reader.files(root, _within_cap(wanted)):
            kept += len(files)
            if kept > MAX_KEPT:
                raise Unreadable("", Reason.CAP)
            for file in files:
                path = _normal(file.decode("utf-8", "replace"))
                labels[path] = label if labels.get(path, label) == label else _SHARED
    except Unreadable as problem:
        return labels, frozenset({problem.reason})
    return labels, frozenset()


def _within_cap(wanted: Wanted) -> Wanted:
    """The same, until more paths were listed than any system has: then it raises Unreadable."""
    listed = 0

    def limited(paths: list[bytes]) -> Collection[bytes]:
        nonlocal listed
        listed += len(paths)
        if listed > MAX_LISTED:
            raise Unreadable("", Reason.CAP)
        return wanted(paths)

    return limited


def _code(paths: list[bytes]) -> list[bytes]:
    """Native libraries, and what is in a directory of Python."""
    return [path for path in paths if b"/python" in path or b"-packages/" in path or b".so" in path]


def _among(paths: frozenset[str]) -> Wanted:
    """These paths, whichever of its names a package gives each."""
    names: set[bytes] = set()
    for path in paths:
        normal = _normal(path)
        spellings = [normal, normal.replace("usr/bin/", "usr/sbin/", 1)] if normal.startswith("usr/bin/") else [normal]
        names.update(one.encode("utf-8", "replace") for one in spellings)
        names.update(one.removeprefix("usr/").encode("utf-8", "replace") for one in spellings)
    return names.intersection


def _normal(path: str) -> str:
    """One name for what is one file where /usr is merged, and bin and sbin are."""
    path = path.lstrip("/")
    if path.partition("/")[0] in _MERGED:
        path = f"usr/{path}"
    return f"usr/bin/{path[9:]}" if path.startswith("usr/sbin/") else path
