"""Checks what is told of the mounts below a root."""

import ctypes
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from envparity_agent.mounts import BIND, may_hang, mounts

_MS_BIND = 4096
_MNT_DETACH = 2


@pytest.fixture
def bound(tmp_path: Path) -> Iterator[Path]:
    """A directory with `first`, and `second` which is `first` by another name."""
    libc = ctypes.CDLL(None, use_errno=True)
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
    first, second = (os.fsencode(tmp_path / name) for name in ("first", "second"))
    if libc.mount(first, second, None, _MS_BIND, None):
        pytest.skip(f"cannot mount: {os.strerror(ctypes.get_errno())}")
    yield tmp_path
    libc.umount2(second, _MNT_DETACH)


def test_a_directory_under_a_second_name_is_told_as_one(bound: Path) -> None:
    assert mounts(os.fspath(bound)) == {"second": BIND}


def test_only_what_lies_below_the_root_is_told(bound: Path) -> None:
    assert mounts(os.fspath(bound / "first")) == {}
    assert str(bound / "second").strip("/") in mounts("/")


def test_the_kernels_own_file_systems_are_below_the_running_systems_root() -> None:
    assert mounts("/")["proc"] == "proc"


@pytest.mark.parametrize("kind", ["nfs", "nfs4", "cifs", "fuse", "fuse.sshfs", "9p", "ceph", "never-heard-of"])
def test_a_file_system_of_a_server_may_hang(kind: str) -> None:
    assert may_hang(kind)


@pytest.mark.parametrize("kind", ["ext4", "xfs", "overlay", "tmpfs", "proc", BIND])
def test_a_local_one_does_not(kind: str) -> None:
    assert not may_hang(kind)
