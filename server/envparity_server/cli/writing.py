"""Writes results to files: whole or not at all, and in place where a file is a pipe or a device."""

import errno
import os
import stat
import tempfile
from contextlib import suppress

from envparity_agent.errors import NotWritten

# a place that a person named wrongly; everything else is a disk that is full or broken
_WRONG_PLACE = frozenset(
    {
        errno.EACCES, errno.EINVAL, errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG, errno.ENOENT, errno.ENOTDIR,
        errno.ENXIO, errno.EPERM, errno.EROFS,
    }
)  # fmt: skip


def write_whole(file: str, content: str) -> None:
    """Write a file so that it has the whole content, or what it had before; raises NotWritten.

    A pipe, a device or our own output is written in place, and that its reader leaves is no error. A symlink stays:
    the file that it names is written.
    """
    try:
        with suppress(BrokenPipeError):
            _write(file, content.encode())
    except (OSError, ValueError) as problem:  # ValueError: a NUL in the name
        raise _not_written(file, problem) from None


def append(file: str, content: str) -> None:
    """Append to a file the whole content, or nothing; raises NotWritten."""
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
        try:
            _append_all(descriptor, content.encode())
        finally:
            os.close(descriptor)
    except (OSError, ValueError) as problem:
        raise _not_written(file, problem) from None


def _write(file: str, content: bytes) -> None:
    own = _own_output(file)
    if own is not None:
        _write_all(own, content)
    elif _is_in_place(file):
        with open(file, "wb", buffering=0) as target:
            _write_all(target.fileno(), content)
    else:
        _replace(os.path.realpath(file), content)


def _own_output(file: str) -> int | None:
    """The descriptor, where a name leads to our own output: `> FILE` and `-o json=/dev/stdout` are one file."""
    for descriptor in (1, 2):
        with suppress(OSError):
            if os.path.samestat(os.stat(file), os.fstat(descriptor)):
                return descriptor
    return None


def _is_in_place(file: str) -> bool:
    """Whether something is there that no file can be put in the place of."""
    try:
        mode = os.stat(file).st_mode
    except FileNotFoundError:
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)


def _replace(file: str, content: bytes) -> None:
    """A temporary file beside it, on the disk before it takes the name."""
    if os.path.isdir(file):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    descriptor, temporary = tempfile.mkstemp(dir=os.path.dirname(file), prefix=f".{os.path.basename(file)[:100]}.")
    try:
        try:
            os.fchmod(descriptor, _mode(file))
            _write_all(descriptor, content)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.replace(temporary, file)
    except BaseException:
        os.unlink(temporary)
        raise


def _mode(file: str) -> int:
    """The mode that the file has, or that a new one would get: `mkstemp` makes files for their owner only."""
    try:
        return stat.S_IMODE(os.stat(file).st_mode)
    except FileNotFoundError:
        mask = os.umask(0o022)  # it can be read only by setting it
        os.umask(mask)
        return 0o666 & ~mask


def _append_all(descriptor: int, content: bytes) -> None:
    before = os.fstat(descriptor)
    try:
        _write_all(descriptor, content)
    except OSError:
        if stat.S_ISREG(before.st_mode):
            os.ftruncate(descriptor, before.st_size)
        raise


def _write_all(descriptor: int, content: bytes) -> None:
    """A write may take a part only: of a pipe, or of the disk's last block."""
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _not_written(file: str, problem: OSError | ValueError) -> NotWritten:
    reason = problem.strerror if isinstance(problem, OSError) else str(problem)
    if isinstance(problem, OSError) and problem.errno not in _WRONG_PLACE:
        return NotWritten(f"cannot write {file}: {reason}", "make room, or name a file on another disk")
    return NotWritten(f"cannot write {file}: {reason}", "name a file in a directory that is yours", otherwise=2)
