"""Which Python environments programs run from now: a venv that something runs from is found wherever it lies."""

import os
import re
import time
from collections.abc import Iterator

from envparity_agent.errors import Unreadable
from envparity_agent.root import Root

_PYTHON = re.compile(r"^(?:python|pypy)[\d.]*t?$")
_TICKS = os.sysconf("SC_CLK_TCK")


def running(root: Root) -> dict[str, float]:
    """Prefix below the root -> when the oldest process that runs from it started, in seconds since the epoch.

    Only of the running system, and only of processes that see its root: those of containers have their own. What this
    process may not ask about, it does not tell.
    """
    if not root.live:
        return {}
    found: dict[str, float] = {}
    boot = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)  # finer than btime of /proc/stat
    for process in root.names("proc"):
        executable = _executable(process) if process.isdigit() else ""
        if not _PYTHON.match(executable.rpartition("/")[2]) or not _shares_root(process):
            continue
        try:
            started = boot + _start_ticks(root.read(f"proc/{process}/stat")) / _TICKS
            for prefix in _prefixes(root, process, executable):
                found[prefix] = min(started, found.get(prefix, started))
        except (Unreadable, ValueError, IndexError):
            continue  # it ended, or is not ours to ask about
    return found


def _executable(process: str) -> str:
    """The path of a process's program, by the text of the link; empty for the kernel's own and for somebody else's."""
    try:
        return os.readlink(f"/proc/{process}/exe").removesuffix(" (deleted)")
    except OSError:
        return ""


def _shares_root(process: str) -> bool:
    """Whether a process has this system's root directory; no open through the link, so nothing of it is entered."""
    try:
        there, here = os.stat(f"/proc/{process}/root/"), os.stat("/")
    except OSError:
        return False
    return (there.st_dev, there.st_ino) == (here.st_dev, here.st_ino)


def _prefixes(root: Root, process: str, executable: str) -> Iterator[str]:
    """Where its interpreter lies, and where the name by which it was called lies: a venv's python is a link."""
    words = root.read(f"proc/{process}/cmdline").decode("utf-8", "surrogateescape").split("\0")
    called = words[0]
    if called and not called.startswith("/") and "/" in called:
        called = os.path.normpath(f"{root.link(f'proc/{process}/cwd')}/{called}")
    for path in dict.fromkeys((called, executable)):
        directory, _, name = path.strip("/").rpartition("/")
        if path.startswith("/") and _PYTHON.match(name) and directory:
            yield directory.rpartition("/")[0]


def _start_ticks(stat: bytes) -> int:
    """Field 22: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html; the name before it may hold anything."""
    return int(stat.rpartition(b")")[2].split()[19])
