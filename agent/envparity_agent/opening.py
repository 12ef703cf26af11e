"""Opens a path below a directory so that nothing leads out of it: by the kernel, else step by step.

The kernel's way is openat2 with RESOLVE_IN_ROOT: https://man7.org/linux/man-pages/man2/openat2.2.html. It refuses the
magic links of /proc. Where it is not to be had, no step follows a link: each is resolved here, by its text.
"""

import ctypes
import errno
import os
import stat
import sys
from collections import deque
from collections.abc import Collection

from envparity_agent.errors import Unreadable
from envparity_agent.fingerprint import Reason

_SYS_OPENAT2 = 437  # the same number on every architecture
_TRIES = 1000  # EAGAIN: anything was renamed while `..` was resolved; the manual says to try again
RESOLVE_NO_XDEV = 0x01
_RESOLVE_NO_MAGICLINKS = 0x02
_RESOLVE_IN_ROOT = 0x10
_MAX_LINKS = 40  # as the kernel's own limit
O_PATH = getattr(os, "O_PATH", os.O_RDONLY | os.O_NONBLOCK)  # Linux only


class _OpenHow(ctypes.Structure):
    _fields_ = [("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64)]


_libc = ctypes.CDLL(None, use_errno=True)
_SIZE = ctypes.sizeof(_OpenHow)


def openat2(directory: int, path: str, flags: int, resolve: int = 0) -> int:
    """Open a path by the kernel, with more flags to resolve it by; raises OSError."""
    how = _OpenHow(flags | os.O_CLOEXEC, 0, resolve | _RESOLVE_IN_ROOT | _RESOLVE_NO_MAGICLINKS)
    for _ in range(_TRIES):
        descriptor = int(_libc.syscall(_SYS_OPENAT2, directory, os.fsencode(path), ctypes.byref(how), _SIZE))
        if descriptor >= 0:
            return descriptor
        number = ctypes.get_errno()
        if number != errno.EAGAIN:
            break
    raise OSError(number, os.strerror(number), path)


def _has_openat2() -> bool:
    """Whether the kernel resolves below a root: Linux 5.6 and newer, and no sandbox that forbids it."""
    if sys.platform != "linux":
        return False
    directory = os.open("/", os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.close(openat2(directory, ".", O_PATH))
    except OSError:
        return False
    finally:
        os.close(directory)
    return True


HAS_OPENAT2 = _has_openat2()


def open_stepwise(directory: int, path: str, flags: int, refused: Collection[str]) -> int:
    """Open a path below a directory without openat2: one name after the other, links resolved here, inside the root.

    Raises OSError, and Unreadable before it would step into one of the `refused` places.
    """
    pending = deque(path.split("/"))
    opened: list[tuple[str, int]] = []  # the way from the root: names and descriptors
    links = 0
    try:
        while pending:
            name = pending.popleft()
            if name == "..":
                os.close(opened.pop()[1]) if opened else None
            if name in ("", ".", ".."):
                continue
            here = opened[-1][1] if opened else directory
            if "/".join((*(one for one, _ in opened), name)) in refused:
                raise Unreadable(path, Reason.UNSUPPORTED)
            step = os.open(name, O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=here)
            opened.append((name, step))
            if not stat.S_ISLNK(os.fstat(step).st_mode):
                continue
            target = os.readlink(name, dir_fd=here)
            os.close(opened.pop()[1])
            links += 1
            if links > _MAX_LINKS:
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), path)
            if target.startswith("/"):
                while opened:
                    os.close(opened.pop()[1])
            pending.extendleft(reversed(target.split("/")))
        if not opened:
            return os.open(".", flags | os.O_CLOEXEC, dir_fd=directory)
        parent = opened[-2][1] if len(opened) > 1 else directory
        return os.open(opened[-1][0], flags | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
    finally:
        for _, descriptor in opened:
            os.close(descriptor)
