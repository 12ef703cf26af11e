"""Where SQLite's file may lie: on a local disk, where this user can write it and what SQLite keeps beside it."""

import os
from collections.abc import Mapping
from pathlib import Path

from envparity_agent.errors import CannotTell, UsageError
from envparity_agent.mounts import mounts

_NETWORK = frozenset({
    "9p", "afs", "beegfs", "ceph", "cifs", "glusterfs", "gpfs", "lustre", "ncpfs", "nfs", "nfs4", "ocfs2", "smb3",
    "smbfs",
})  # fmt: skip
_LOCAL_FUSE = frozenset({"fuse.fuse-overlayfs"})  # what a container without root lies on


def check(file: Path) -> None:
    """Raise UsageError for a file system that SQLite must not be on, CannotTell for what this user cannot write.

    A file that is not there yet is judged by where it would be.
    """
    kind = network_mount(file.resolve(), mounts("/"))
    if kind is not None:
        raise UsageError(
            f"{file} is on a network file system ({kind}), where SQLite loses what two processes write",
            "put it on a local disk, or use PostgreSQL",
        )
    for path in (file, Path(f"{file}-wal"), Path(f"{file}-shm")):
        if path.exists() and not _may_write(path):
            raise CannotTell(f"{path} cannot be written by this user", "give it to the user that runs the server")
    if file.parent.is_dir() and not _may_write(file.parent):
        raise CannotTell(
            f"{file.parent} cannot be written by this user, and SQLite keeps its log beside {file.name}",
            "give it to the user that runs the server, or set ENVPARITY_DATABASE_URL to another place",
        )


def _may_write(path: Path) -> bool:
    return os.access(path, os.W_OK, effective_ids=True)


def network_mount(path: Path, mounted: Mapping[str, str]) -> str | None:
    """The type of the network file system that an absolute path is on, None for a local one.

    https://www.sqlite.org/wal.html: "WAL does not work over a network filesystem". What FUSE brings is taken as one:
    nothing tells whether it locks and maps as a local disk does.
    """
    for place in (path, *path.parents):
        kind = mounted.get(str(place).strip("/"))
        if kind:
            is_fuse = kind == "fuse" or (kind.startswith("fuse.") and kind not in _LOCAL_FUSE)
            return kind if is_fuse or kind in _NETWORK else None
    return None


def make_private(file: Path) -> None:
    """Make the file and its directory for their owner only, where they are not there; raises CannotTell."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        file.touch(mode=0o600)
    except OSError as problem:
        advice = "set ENVPARITY_DATABASE_URL to a place that this user may write"
        raise CannotTell(f"cannot make {file}: {problem.strerror}", advice) from None
