"""What was changed in a container's writable layer, as the engine lists it."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

_CHANGES = {0: "modified", 1: "added", 2: "deleted"}
# places that a container writes to in the course of its work, and files that the engine itself puts there
_VOLATILE = (
    "/.dockerenv", "/dev", "/etc/hostname", "/etc/hosts", "/etc/mtab", "/etc/resolv.conf", "/proc", "/root/.cache",
    "/run", "/sys", "/tmp", "/var/cache", "/var/lock", "/var/log", "/var/run", "/var/tmp",  # noqa: S108  # names only
)  # fmt: skip
# what is read wherever it lies
_PYTHON = re.compile(r"/(?:pyvenv\.cfg|conda-meta|(?:site|dist)-packages|lib(?:64)?/(?:python|pypy)\d)")


def topmost_changes(changes: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Path -> change, each change once at the highest path that says it all.

    The engine lists every directory above a change as modified and everything below an added directory as added.
    """
    kinds = {str(change["Path"]): int(change["Kind"]) for change in changes}
    parents = {path.rpartition("/")[0] for path in kinds}
    found = {}
    for path, kind in kinds.items():
        inside_added = kinds.get(path.rpartition("/")[0]) == 1 and kind == 1
        only_above = kind == 0 and path in parents
        if not inside_added and not only_above and not _is_volatile(path):
            found[path] = _CHANGES.get(kind, f"kind-{kind}")
    return found


def is_as_its_image(inspected: Mapping[str, Any], changes: Sequence[Mapping[str, Any]]) -> bool:
    """Whether all that is read inside a container is its image's: nothing was changed there, nothing lies over it."""
    if any(mount.get("Type") != "tmpfs" for mount in inspected.get("Mounts") or ()):
        return False
    if topmost_changes(changes):
        return False
    return not any(_PYTHON.search(path) for path in (str(one["Path"]) for one in changes) if not _is_compiled(path))


def without_mounts(inspected: Mapping[str, Any], changes: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The changes without the directories that an engine makes to mount something at."""
    mounted = {str(mount.get("Destination")) for mount in inspected.get("Mounts") or ()}
    mounted.update((inspected.get("HostConfig") or {}).get("Tmpfs") or ())
    return [change for change in changes if change["Path"] not in mounted]


def _is_volatile(path: str) -> bool:
    return _is_compiled(path) or any(path == place or path.startswith(f"{place}/") for place in _VOLATILE)


def _is_compiled(path: str) -> bool:
    return path.endswith((".pyc", "/__pycache__"))
