"""Safe reading below one root directory: the host's, a container's, an image's, a chroot's are all the same.

Every path is resolved by the kernel inside the root (openat2 with RESOLVE_IN_ROOT), so neither a symlink nor a race
leads out of it; magic links of /proc are refused, and only regular files are read, up to a cap.
See https://man7.org/linux/man-pages/man2/openat2.2.html
"""

import ctypes
import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType

from envparity_agent.errors import Unreadable, UsageError
from envparity_agent.fingerprint import Reason

MIB = 1024 * 1024

_SYS_OPENAT2 = 437  # the same number on every architecture
_TRIES = 1000  # EAGAIN: anything was renamed while `..` was resolved; the manual says to try again
_RESOLVE_NO_MAGICLINKS = 0x02
_RESOLVE_IN_ROOT = 0x10

_REASONS = {
    errno.EACCES: Reason.PERMISSION,
    errno.EPERM: Reason.PERMISSION,
    errno.ENOENT: Reason.VANISHED,
    errno.ENOTDIR: Reason.VANISHED,
    errno.ESTALE: Reason.VANISHED,
    errno.ELOOP: Reason.SYMLINKS,
    errno.EXDEV: Reason.SYMLINKS,
    errno.ENXIO: Reason.NOT_REGULAR,
    errno.EISDIR: Reason.NOT_REGULAR,
    errno.ENOSYS: Reason.UNSUPPORTED,
    errno.ENAMETOOLONG: Reason.CAP,
}


class _OpenHow(ctypes.Structure):
    _fields_ = [("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64)]


_libc = ctypes.CDLL(None, use_errno=True)


def _openat2(directory: int, path: str, flags: int) -> int:
    if "\0" in path:  # C would read the path up to it, and open another file
        raise ValueError("a NUL in the path")
    how = _OpenHow(flags | os.O_CLOEXEC, 0, _RESOLVE_IN_ROOT | _RESOLVE_NO_MAGICLINKS)
    for _ in range(_TRIES):
        descriptor = int(
            _libc.syscall(_SYS_OPENAT2, directory, os.fsencode(path), ctypes.byref(how), ctypes.sizeof(how))
        )
        if descriptor >= 0:
            return descriptor
        number = ctypes.get_errno()
        if number != errno.EAGAIN:
            break
    raise OSError(number, os.strerror(number), path)


class Root:
    """A directory as the root of everything that is read through it; paths are relative to it."""

    def __init__(self, path: str) -> None:
        """Open the root; raises UsageError where it is not a directory that can be opened."""
        try:
            self._directory = os.open(path, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as problem:
            raise UsageError(f"cannot open {path} as a root: {problem.strerror}") from None
        self.path = path
        here, system = os.fstat(self._directory), os.stat("/")
        self.live = (here.st_dev, here.st_ino) == (system.st_dev, system.st_ino)

    def __enter__(self) -> "Root":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._directory)

    @contextmanager
    def open(self, path: str, flags: int = os.O_RDONLY) -> Iterator[int]:
        """A descriptor of a path, resolved inside the root; raises Unreadable."""
        if not flags & os.O_PATH:  # openat2 refuses flags that mean nothing beside O_PATH
            flags |= os.O_NONBLOCK | os.O_NOCTTY
        try:
            descriptor = _openat2(self._directory, path.lstrip("/") or ".", flags)
        except ValueError:  # a NUL, or a lone surrogate that stands for no byte
            raise Unreadable(path, Reason.INVALID) from None
        except OSError as problem:
            raise Unreadable(path, _REASONS.get(problem.errno or 0, Reason.ERROR)) from None
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    def read(self, path: str, cap: int = MIB) -> bytes:
        """The content of a regular file; raises Unreadable, with `cap` where it is longer than that many bytes."""
        # O_PATH first: opening a device or a FIFO for reading may already do something
        with self.open(path, os.O_PATH) as handle:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise Unreadable(path, Reason.NOT_REGULAR)
        with self.open(path) as descriptor:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise Unreadable(path, Reason.NOT_REGULAR)
            chunks: list[bytes] = []
            size = 0
            try:
                while size <= cap:
                    chunk = os.read(descriptor, cap + 1 - size)
                    if not chunk:
                        return chunks[0] if len(chunks) == 1 else b"".join(chunks)
                    chunks.append(chunk)
                    size += len(chunk)
            except OSError as problem:
                raise Unreadable(path, _REASONS.get(problem.errno or 0, Reason.ERROR)) from None
        raise Unreadable(path, Reason.CAP)

    def read_if_there(self, path: str, cap: int = MIB) -> bytes | None:
        """As `read`, but None where there is no such file."""
        try:
            return self.read(path, cap)
        except Unreadable as problem:
            if problem.reason == Reason.VANISHED:
                return None
            raise

    def names(self, path: str) -> list[str]:
        """The sorted names in a directory, none where there is no such directory; raises Unreadable."""
        try:
            with self.open(path, os.O_RDONLY | os.O_DIRECTORY) as descriptor:
                return sorted(os.listdir(descriptor))
        except Unreadable as problem:
            if problem.reason == Reason.VANISHED:
                return []
            raise

    def stat(self, path: str) -> os.stat_result | None:
        """The status of what a path leads to, symlinks followed inside the root; None where it leads nowhere.

        Raises Unreadable where that cannot be known.
        """
        try:
            with self.open(path, os.O_PATH) as handle:
                return os.fstat(handle)
        except Unreadable as problem:
            if problem.reason == Reason.VANISHED:
                return None
            raise

    def is_directory(self, path: str) -> bool:
        """Whether a path leads to a directory; raises Unreadable where that cannot be known."""
        found = self.stat(path)
        return found is not None and stat.S_ISDIR(found.st_mode)

    def is_file(self, path: str) -> bool:
        """Whether a path leads to a regular file; raises Unreadable where that cannot be known."""
        found = self.stat(path)
        return found is not None and stat.S_ISREG(found.st_mode)

    def resolved(self, path: str) -> str:
        """The path below the root that a path leads to when its symlinks are followed; raises Unreadable."""
        with self.open(path, os.O_PATH) as handle:
            place = os.readlink(f"/proc/self/fd/{handle}")
        top = os.readlink(f"/proc/self/fd/{self._directory}")
        return os.path.relpath(place, top) if place != top else ""
