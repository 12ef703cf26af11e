"""Tests of where SQLite's file may lie: not on a network, and where this user can write."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from envparity_agent.errors import CannotTell
from envparity_server.storage.database import check_schema, migrate, open_database
from envparity_server.storage.places import network_mount

NOBODY = 65534


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/srv/share/db/server.db", "nfs4"),
        ("/srv/share", "nfs4"),
        ("/srv/share/local/server.db", None),
        ("/srv/shared/server.db", None),
        ("/mnt/windows/server.db", "cifs"),
        ("/mnt/ssh/server.db", "fuse.sshfs"),
        ("/container/server.db", None),
        ("/var/lib/envparity/server.db", None),
    ],
)
def test_a_network_file_system_is_told_from_a_local_one(path: str, kind: str | None) -> None:
    mounted = {
        "srv/share": "nfs4", "srv/share/local": "ext4", "mnt/windows": "cifs", "mnt/ssh": "fuse.sshfs",
        "container": "fuse.fuse-overlayfs", "proc": "proc",
    }  # fmt: skip
    assert network_mount(Path(path), mounted) == kind


@contextmanager
def another_user() -> Iterator[None]:
    """Go on as nobody, where this is root: whom no mode keeps from writing."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(user)


@pytest.fixture
def readable() -> Iterator[Path]:
    """A database that everybody may read."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "server.db"
        engine = open_database(f"sqlite:///{path}")
        migrate(engine)
        engine.dispose()
        path.chmod(0o444)
        path.parent.chmod(0o755)
        yield path


@pytest.mark.parametrize("do", [check_schema, migrate], ids=["check", "migrate"])
def test_a_file_that_may_only_be_read_is_refused(readable: Path, do: object) -> None:
    with another_user(), pytest.raises(CannotTell, match=r"server\.db cannot be written by this user"):
        do(open_database(f"sqlite:///{readable}"))  # type: ignore[operator]  # mypy joins two functions to object


def test_a_log_of_another_user_is_refused(readable: Path) -> None:
    """As it is left by a verb that root ran while no server did."""
    log = readable.with_name("server.db-wal")
    log.touch()
    log.chmod(0o444)
    readable.chmod(0o666)
    with another_user(), pytest.raises(CannotTell, match=r"server\.db-wal cannot be written"):
        check_schema(open_database(f"sqlite:///{readable}"))


def test_a_directory_that_may_only_be_read_is_refused(readable: Path) -> None:
    readable.chmod(0o666)
    readable.parent.chmod(0o555)
    with another_user(), pytest.raises(CannotTell, match="SQLite keeps its log beside"):
        check_schema(open_database(f"sqlite:///{readable}"))
    readable.parent.chmod(0o755)
