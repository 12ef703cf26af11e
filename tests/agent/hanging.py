"""A file system that hangs for real: a FUSE mount whose server never answers, as an NFS server that is gone."""

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_MNT_DETACH = 2


@contextmanager
def hanging_mount(place: Path) -> Iterator[Path]:
    """Mount it at a directory; skipped where this machine has no FUSE, or this process may not mount."""
    libc = ctypes.CDLL(None, use_errno=True)
    place.mkdir(parents=True)
    try:
        server = os.open("/dev/fuse", os.O_RDWR)
    except OSError as problem:
        pytest.skip(f"no FUSE: {problem.strerror}")
    try:
        options = f"fd={server},rootmode=40000,user_id=0,group_id=0".encode()
        if libc.mount(b"hang", os.fsencode(place), b"fuse", 0, options):
            pytest.skip(f"cannot mount: {os.strerror(ctypes.get_errno())}")
        try:
            yield place
        finally:
            libc.umount2(os.fsencode(place), _MNT_DETACH)
    finally:
        os.close(server)
