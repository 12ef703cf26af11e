"""The files of a container: through its process where that may be looked into, else a copy by the engine."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from envparity_agent.collectors.containers.archive import copied
from envparity_agent.collectors.containers.client import Client
from envparity_agent.collectors.reads import Wanted
from envparity_agent.errors import Unreadable, UsageError
from envparity_agent.root import Root

PROC = "proc"
ARCHIVE = "archive"

_APART_SECONDS = 2.0  # the engine notes the start of a container, the kernel that of its process


@contextmanager
def filesystem(
    client: Client, inspected: Any, wanted: Wanted, progress: Callable[[str], None]
) -> Iterator[tuple[Root, str]]:
    """A root with a container's files, and how it is read: PROC or ARCHIVE; raises Unreadable.

    Whether it was one and the same run of the container all the time is for the caller to ask, by `run_of`.
    """
    process = int(inspected["State"]["Pid"] or 0)
    with _own_root(process, inspected) as root:
        if root:
            yield root, PROC
            return
    progress("copying files out of the container")
    with copied(client, str(inspected["Id"]), wanted) as place, Root(place) as root:
        yield root, ARCHIVE


@contextmanager
def _own_root(process: int, inspected: Mapping[str, Any]) -> Iterator[Root | None]:
    """The root directory of a container's process; None where it may not be read, or is not the container's.

    It is opened first and looked at then: what was opened stays that container's also when the number is given to
    another process.
    """
    place = f"/proc/{process}/root"
    if not process or not os.access(f"{place}/", os.R_OK):
        yield None
        return
    try:
        root = Root(place)
    except UsageError:  # it ended in between
        yield None
        return
    with root:
        yield root if not root.live and belongs(process, inspected) else None


def may_be_looked_into(inspected: Mapping[str, Any]) -> bool:
    """Whether a container's files can be read without the engine."""
    with _own_root(int(inspected["State"]["Pid"] or 0), inspected) as root:
        return root is not None


def belongs(process: int, inspected: Mapping[str, Any]) -> bool:
    """Whether a process is the container's: an engine in a virtual machine tells the numbers of its own processes.

    Its control group has the container's id in its path, save where the container was made without one; then the
    moment tells at which it started.
    """
    try:
        with Root("/proc") as proc:
            groups = proc.read(f"{process}/cgroup", 64 * 1024)
            if str(inspected["Id"]).encode() in groups:
                return True
            started = _started(proc, process)
        told = datetime.fromisoformat(str(inspected["State"]["StartedAt"])).astimezone(UTC)
    except (Unreadable, ValueError, IndexError, OverflowError):
        return False
    return abs(told.timestamp() - started) <= _APART_SECONDS


def _started(proc: Root, process: int) -> float:
    """When a process started, in seconds of the epoch: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html."""
    ticks = int(proc.read(f"{process}/stat").rpartition(b")")[2].split()[19])
    booted = next(line for line in proc.read("stat").splitlines() if line.startswith(b"btime "))
    return int(booted.split()[1]) + ticks / os.sysconf("SC_CLK_TCK")


def run_of(inspected: Mapping[str, Any]) -> tuple[object, ...]:
    """What names one run of a container: a restart changes it, a health check does not."""
    state = inspected["State"]
    return state["Pid"], state["StartedAt"], state["Running"]
