"""Keeps what is slow to make between two runs, and never takes a half-made thing for a whole one."""

import fcntl
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.system.workspaces import remove_tree

PARTIAL = ".partial-"


def cache_directory() -> Path:
    """Return the cache of the tests, which may be removed at any time between two runs."""
    chosen = os.environ.get("ENVPARITY_TEST_CACHE")
    directory = Path(chosen) if chosen else Path.home() / ".cache" / "envparity-tests"
    directory.mkdir(parents=True, exist_ok=True)
    return directory.resolve()


@contextmanager
def cache_lock(cache: Path) -> Iterator[None]:
    """Let one run at a time fill the cache."""
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def made_once(target: Path, make: Callable[[Path], None]) -> Path:
    """Return the directory, made now if it is not there: beside its place first, then renamed into it."""
    if target.is_dir():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    remove_interrupted(target)
    partial = Path(tempfile.mkdtemp(prefix=f"{target.name}{PARTIAL}", dir=target.parent))
    partial.chmod(0o755)
    try:
        make(partial)
        partial.rename(target)
    except BaseException:
        remove_tree(partial)
        raise
    return target


def remove_interrupted(target: Path) -> None:
    """Remove what earlier, interrupted runs left beside the place of the directory."""
    for partial in target.parent.glob(f"{target.name}{PARTIAL}*"):
        remove_tree(partial)
