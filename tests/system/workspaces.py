"""Temporary directories whose mounts are undone before they are removed."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.system.commands import run

MOUNT_TABLE = Path("/proc/self/mountinfo")
MOUNT_POINT_FIELD = 4


@contextmanager
def workspace(purpose: str) -> Iterator[Path]:
    """Give a directory with a short path: the path of a Unix socket has at most 107 bytes."""
    directory = Path(tempfile.mkdtemp(prefix=f"envparity-{purpose}-")).resolve()
    try:
        yield directory
    finally:
        remove_tree(directory)


def remove_tree(directory: Path) -> None:
    """Remove a directory, never what is mounted below it."""
    for mount_point in mounts_below(directory):
        run("umount", mount_point)
    shutil.rmtree(directory)


def mounts_below(directory: Path) -> list[Path]:
    """Return the mount points below a directory, the innermost first."""
    lines = MOUNT_TABLE.read_text().splitlines()
    points = [Path(_unescaped(line.split()[MOUNT_POINT_FIELD])) for line in lines]
    return [point for point in reversed(points) if point.is_relative_to(directory)]


def _unescaped(field: str) -> str:
    # The kernel writes blanks and backslashes of a path as octal numbers: proc_pid_mountinfo(5).
    return field.encode().decode("unicode_escape").encode("latin-1").decode()
