"""Whether a container is as its image is, and what the engine lists of its writable layer without being changed."""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from envparity_agent.collectors.containers.changes import is_compiled, topmost_changes

# what is read wherever it lies
_PYTHON = re.compile(r"/(?:pyvenv\.cfg|conda-meta|(?:site|dist)-packages|lib(?:64)?/(?:python|pypy)\d)")

# what an engine mounts its init at, by either name of the directory: of a container that runs with --init
_INIT = ("/sbin/docker-init", "/usr/sbin/docker-init")


def is_as_its_image(inspected: Mapping[str, Any], changes: Sequence[Mapping[str, Any]]) -> bool:
    """Whether all that is read inside a container is its image's: nothing was changed there, nothing lies over it."""
    if any(mount.get("Type") != "tmpfs" for mount in inspected.get("Mounts") or ()):
        return False
    if topmost_changes(changes):
        return False
    return not any(_PYTHON.search(path) for path in (str(one["Path"]) for one in changes) if not is_compiled(path))


def without_mounts(inspected: Mapping[str, Any], changes: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The changes without what an engine makes to mount something at: directories, and the file of its init.

    The directories above one are listed as well; they are told where something else below them was changed.
    """
    mounted = {*_INIT, *(str(mount.get("Destination")) for mount in inspected.get("Mounts") or ())}
    mounted.update((inspected.get("HostConfig") or {}).get("Tmpfs") or ())
    above = _folders(str(change["Path"]) for change in changes if change["Path"] in mounted)
    own = [change for change in changes if change["Path"] not in mounted | above]
    needed = _folders(str(change["Path"]) for change in own)
    return [change for change in changes if change["Path"] not in mounted | (above - needed)]


def _folders(paths: Iterable[str]) -> set[str]:
    """All directories above some paths."""
    return {str(folder) for path in paths for folder in PurePosixPath(path).parents}
