"""Checks which package managers a root has, and what several of them in one root make of each other."""

import os
from pathlib import Path

import pytest

from envparity_agent.collectors.interface import Subject
from envparity_agent.collectors.memory import Memory
from envparity_agent.collectors.system import packages
from envparity_agent.collectors.system.database import Database, Package
from envparity_agent.fingerprint import Reason, Section, Status
from envparity_agent.root import Root
from tests.agent.databases import apk_record, paragraph, rpm_database, rpm_package
from tests.agent.roots import WatchedRoot, fingerprint_of
from tests.agent.trees import put

STATUS = "var/lib/dpkg/status"
INSTALLED = "lib/apk/db/installed"


def read(root: Path) -> Section:
    return fingerprint_of(root).sections["os-packages"]


def surveyed(root: Path, memory: Memory) -> Section:
    memory.begin()
    with Root(os.fspath(root)) as opened:
        return next(packages.collect(Subject(opened, memory=memory)))


def test_a_system_without_any_database_is_not_supported_rather_than_empty(tmp_path: Path) -> None:
    found = read(tmp_path)
    assert (found.status, found.reasons, found.count) == (Status.ABSENT, (Reason.UNSUPPORTED,), 0)


def test_an_empty_database_beside_a_full_one_is_nothing(tmp_path: Path) -> None:
    put(tmp_path, STATUS, paragraph("nginx"))
    rpm_database(tmp_path)
    put(tmp_path, INSTALLED, "")
    found = read(tmp_path)
    assert (found.status, found.reasons, set(found.items)) == (Status.OK, (), {"nginx"})


def test_an_empty_status_file_beside_a_full_rpm_database_is_nothing(tmp_path: Path) -> None:
    put(tmp_path, STATUS, "")
    rpm_database(tmp_path, rpm_package("bash"))
    found = read(tmp_path)
    assert (found.status, found.reasons, set(found.items)) == (Status.OK, (), {"bash"})


def test_an_empty_rpm_database_alone_is_not_a_system_without_packages(tmp_path: Path) -> None:
    rpm_database(tmp_path)
    found = read(tmp_path)
    assert (found.status, found.reasons) == (Status.FAILED, (Reason.INVALID,))


def test_a_broken_database_beside_a_full_one_is_told(tmp_path: Path) -> None:
    put(tmp_path, STATUS, paragraph("nginx"))
    put(tmp_path, "var/lib/rpm/rpmdb.sqlite", "garbage")
    found = read(tmp_path)
    assert (found.status, found.reasons, set(found.items)) == (Status.PARTIAL, (Reason.INVALID,), {"nginx"})


def test_two_managers_that_both_have_packages_are_both_read(tmp_path: Path) -> None:
    put(tmp_path, STATUS, paragraph("bash") + paragraph("nginx"))
    rpm_database(tmp_path, rpm_package("bash"), rpm_package("agent"))
    found = read(tmp_path).items
    assert {name: body["manager"] for name, body in found.items()} == {
        "bash": "deb",
        "nginx": "deb",
        "rpm:bash": "rpm",
        "agent": "rpm",
    }


@pytest.mark.parametrize("manager", ["deb", "rpm", "apk"])
def test_what_did_not_change_is_not_read_again(tmp_path: Path, manager: str) -> None:
    _write(tmp_path, manager, "1.0")
    memory = Memory()
    opened = WatchedRoot(os.fspath(tmp_path))
    with opened:
        first = next(packages.collect(Subject(opened, memory=memory)))
        assert opened.read_paths
        opened.read_paths.clear()
        memory.begin()
        assert next(packages.collect(Subject(opened, memory=memory))) == first
        assert opened.read_paths == []


@pytest.mark.parametrize("manager", ["deb", "rpm", "apk"])
def test_what_changed_is_read_again(tmp_path: Path, manager: str) -> None:
    _write(tmp_path, manager, "1.0")
    memory = Memory()
    first = surveyed(tmp_path, memory).items["bash"]["version"]
    _write(tmp_path, manager, "2.0.1")
    assert surveyed(tmp_path, memory).items["bash"]["version"] == str(first).replace("1.0", "2.0.1")


def test_a_package_whose_files_alone_changed_is_read_again(tmp_path: Path) -> None:
    put(tmp_path, STATUS, paragraph("bash"))
    put(tmp_path, "var/lib/dpkg/info/bash.md5sums", "aa  bin/bash\n")
    memory = Memory()
    first = surveyed(tmp_path, memory)
    put(tmp_path, "var/lib/dpkg/info/new", "bb  bin/bash\n").rename(tmp_path / "var/lib/dpkg/info/bash.md5sums")
    assert surveyed(tmp_path, memory).items["bash"]["content"] != first.items["bash"]["content"]


def test_a_database_that_is_written_to_all_the_time_is_not_complete(tmp_path: Path) -> None:
    moments = iter(range(100))
    one = Database((Package("deb", "nginx", "1.0", "amd64"),))
    restless = packages.Format(lambda _: next(moments), lambda _: one, lambda *_: iter(()))
    with Root(os.fspath(tmp_path)) as opened:
        found = packages.remembered(opened, Memory(), "deb", restless)
    assert found == Database(one.packages, frozenset({Reason.VANISHED}))


def _write(root: Path, manager: str, version: str) -> None:
    match manager:
        case "deb":
            put(root, STATUS, paragraph("bash", version=version))
        case "rpm":
            (root / "var/lib/rpm/rpmdb.sqlite").unlink(missing_ok=True)
            rpm_database(root, rpm_package("bash", version))
        case "apk":
            put(root, INSTALLED, apk_record("bash", version))
