"""Safe reading below one root directory: the host's, a container's, an image's, a chroot's are all the same.

Every path is resolved inside the root, so neither a symlink nor a race leads out of it. Only regular files are read, up
to a cap, and a file system that may hang is not entered.
"""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from types import TracebackType

from envparity_agent.errors import Unreadable, UsageError
from envparity_agent.fingerprint import Reason
from envparity_agent.mounts import may_hang, mounts
from envparity_agent.opening import HAS_OPENAT2, O_PATH, RESOLVE_NO_XDEV, open_stepwise, openat2

MIB = 1024 * 1024

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


def _all(descriptor: int, path: str, size: int, cap: int) -> bytes:
    """What a descriptor gives up to its end; a file of /proc says that it is empty, and another one may grow."""
    content = os.read(descriptor, size + 1)
    chunks = [content]
    while content and len(content) != size:
        content = os.read(descriptor, MIB)
        chunks.append(content)
        size = -1
        if sum(map(len, chunks)) > cap:
            raise Unreadable(path, Reason.CAP)
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


class Root:
    """A directory as the root of everything that is read through it; paths are relative to it."""

    def __init__(self, path: str, asked_for: str = "", by_kernel: bool = HAS_OPENAT2) -> None:
        """Open the root; raises UsageError where it is not a directory that can be opened.

        `asked_for` is the path that a person named: it may lie on a file system that could hang, what is found may not.
        """
        try:
            self._directory = os.open(path, O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as problem:
            raise UsageError(f"cannot open {path} as a root: {problem.strerror}") from None
        self.path = path
        self._asked_for = f"{asked_for.strip('/')}/"
        self._by_kernel = by_kernel
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
        descriptor = self._descriptor(path, flags)
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    def _descriptor(self, path: str, flags: int) -> int:
        if not flags & O_PATH:  # openat2 refuses flags that mean nothing beside O_PATH
            flags |= os.O_NONBLOCK | os.O_NOCTTY
        try:
            if "\0" in path:  # C would read the path up to it, and open another file
                raise ValueError("a NUL in the path")
            return self._opened(path.lstrip("/") or ".", flags)
        except ValueError:  # also a lone surrogate that stands for no byte
            raise Unreadable(path, Reason.INVALID) from None
        except OSError as problem:
            raise Unreadable(path, _REASONS.get(problem.errno or 0, Reason.ERROR)) from None

    @cached_property
    def mounts(self) -> dict[str, str]:
        """Path below the root -> type of the file system that is mounted there."""
        return mounts(self.path)

    @cached_property
    def _refused(self) -> frozenset[str]:
        """Mounts that are not entered: looking into one whose server is gone would never end."""
        return frozenset(
            path for path, kind in self.mounts.items() if may_hang(kind) and not self._asked_for.startswith(f"{path}/")
        )

    def _opened(self, path: str, flags: int) -> int:
        if not self._by_kernel:
            return open_stepwise(self._directory, path, flags, self._refused)
        if not self._refused:
            return openat2(self._directory, path, flags)
        try:
            return openat2(self._directory, path, flags, RESOLVE_NO_XDEV)
        except OSError as problem:
            if problem.errno != errno.EXDEV:
                raise
        with_checks = open_stepwise(self._directory, path, O_PATH, self._refused)
        os.close(with_checks)
        return openat2(self._directory, path, flags)

    def _regular(self, path: str) -> int:
        """A descriptor of a regular file; raises Unreadable where it is something else."""
        handle = self._descriptor(path, O_PATH)  # first: opening a device or a FIFO for reading may do something
        try:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise Unreadable(path, Reason.NOT_REGULAR)
        finally:
            os.close(handle)
        descriptor = self._descriptor(path, os.O_RDONLY)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise Unreadable(path, Reason.NOT_REGULAR)
        return descriptor

    @contextmanager
    def regular(self, path: str) -> Iterator[int]:
        """A descriptor of a regular file, to read parts of it; raises Unreadable, also for what fails then."""
        descriptor = self._regular(path)
        try:
            yield descriptor
        except OSError as problem:
            raise Unreadable(path, _REASONS.get(problem.errno or 0, Reason.ERROR)) from None
        finally:
            os.close(descriptor)

    def read(self, path: str, cap: int = MIB) -> bytes:
        """The content of a regular file; raises Unreadable, with `cap` where it is longer than that many bytes."""
        with self.regular(path) as descriptor:
            size = os.fstat(descriptor).st_size
            if size > cap:
                raise Unreadable(path, Reason.CAP)
            return _all(descriptor, path, size, cap)

    @contextmanager
    def directory(self, path: str) -> Iterator["Directory"]:
        """A directory, held open while its entries are read; raises Unreadable."""
        with self.open(path, os.O_RDONLY | os.O_DIRECTORY) as descriptor:
            yield Directory(self, path, descriptor)

    @property
    def checks_mounts(self) -> bool:
        """Whether something is mounted below the root that must not be entered, so that each path is to be checked."""
        return bool(self._refused)

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
            with self.open(path, O_PATH) as handle:
                return os.fstat(handle)
        except Unreadable as problem:
            if problem.reason == Reason.VANISHED:
                return None
            raise

    def link(self, path: str) -> str | None:
        """The text of a symlink, None where the path leads to something else or nothing; raises Unreadable."""
        parent, _, name = path.rpartition("/")
        try:
            with self.open(parent, O_PATH | os.O_DIRECTORY) as directory:
                return os.readlink(name, dir_fd=directory)
        except OSError as problem:
            if problem.errno in (errno.EINVAL, errno.ENOENT):
                return None
            raise Unreadable(path, _REASONS.get(problem.errno or 0, Reason.ERROR)) from None
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
        with self.open(path, O_PATH) as handle:
            place = os.readlink(f"/proc/self/fd/{handle}")
        top = os.readlink(f"/proc/self/fd/{self._directory}")
        return os.path.relpath(place, top) if place != top else ""


class Directory:
    """A directory below a root, held open: one of its entries costs one call, and no walk from the root.

    A symlink among them is followed by the root. Everything else is opened by its own name and without following, so
    it lies in this directory, whatever is renamed meanwhile.
    """

    def __init__(self, root: Root, path: str, descriptor: int) -> None:
        self._root = root
        self._path = path
        self._descriptor = descriptor

    def names(self) -> list[str]:
        """The names of the entries, sorted."""
        return sorted(os.listdir(self._descriptor))

    def stat(self, name: str = "") -> os.stat_result | None:
        """The status of what an entry leads to, of the directory itself by default; None where it leads nowhere.

        Raises Unreadable where that cannot be known.
        """
        if not name:
            return os.fstat(self._descriptor)
        if self._root.checks_mounts:
            return self._root.stat(self._place(name))
        found = self._status(name)
        return self._root.stat(self._place(name)) if found and stat.S_ISLNK(found.st_mode) else found

    @contextmanager
    def directory(self, name: str) -> Iterator["Directory"]:
        """An entry that is a directory; raises Unreadable."""
        descriptor = None if self._root.checks_mounts else self._inner(name)
        if descriptor is None:
            with self._root.directory(self._place(name)) as found:
                yield found
            return
        try:
            yield Directory(self._root, self._place(name), descriptor)
        finally:
            os.close(descriptor)

    def read(self, name: str, cap: int = MIB) -> bytes:
        """As `Root.read`, of an entry."""
        found = None if self._root.checks_mounts else self._status(name)
        if found is None or stat.S_ISLNK(found.st_mode):
            return self._root.read(self._place(name), cap)
        if not stat.S_ISREG(found.st_mode):
            raise Unreadable(self._place(name), Reason.NOT_REGULAR)
        try:
            descriptor = self._open(name, os.O_NONBLOCK | os.O_NOCTTY)
        except OSError as problem:
            raise self._unreadable(name, problem) from None
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise Unreadable(self._place(name), Reason.NOT_REGULAR)
            if found.st_size > cap:
                raise Unreadable(self._place(name), Reason.CAP)
            return _all(descriptor, self._place(name), found.st_size, cap)
        except OSError as problem:
            raise self._unreadable(name, problem) from None
        finally:
            os.close(descriptor)

    def _inner(self, name: str) -> int | None:
        """A descriptor of an entry that is a directory; None for one that the root is to look at, such as a symlink."""
        try:
            return self._open(name, os.O_DIRECTORY)
        except OSError as problem:
            if problem.errno in (errno.ELOOP, errno.ENOTDIR):
                return None
            raise self._unreadable(name, problem) from None

    def _status(self, name: str) -> os.stat_result | None:
        """The status of an entry itself."""
        try:
            return os.stat(_entry(name), dir_fd=self._descriptor, follow_symlinks=False)
        except FileNotFoundError:
            return None
        except OSError as problem:
            raise self._unreadable(name, problem) from None

    def _open(self, name: str, flags: int) -> int:
        return os.open(_entry(name), flags | os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=self._descriptor)

    def _place(self, name: str) -> str:
        return f"{self._path}/{_entry(name)}"

    def _unreadable(self, name: str, problem: OSError) -> Unreadable:
        return Unreadable(self._place(name), _REASONS.get(problem.errno or 0, Reason.ERROR))


def _entry(name: str) -> str:
    """A name that can only be that of an entry."""
    if "/" in name or "\0" in name or name in ("", ".", ".."):
        raise ValueError(f"no name of an entry: {name!r}")
    return name
