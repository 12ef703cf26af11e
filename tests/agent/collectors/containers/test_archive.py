"""Checks that a container's archive becomes a directory that is safe to read, whatever the container holds."""

import os
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from envparity_agent.collectors import INSIDE
from envparity_agent.collectors.containers.archive import copied
from envparity_agent.collectors.containers.engine import connect
from envparity_agent.collectors.interface import Options, Subject, wanted
from envparity_agent.collectors.memory import Memory
from envparity_agent.collectors.system.owners import owners
from envparity_agent.errors import Unreadable
from envparity_agent.fingerprint import Reason, Target
from envparity_agent.root import Root
from envparity_agent.survey import survey
from envparity_agent.targets import fingerprint
from tests.agent.collectors.answers import Engine, container, running_engine
from tests.agent.collectors.archives import Entry, entry, tar, tar_of
from tests.agent.databases import apk_record, paragraph, rpm_database, rpm_package
from tests.agent.roots import fingerprint_of, whole_root
from tests.agent.trees import X86_64, distribution, elf, put, system, venv

WEB = "a" * 64
WANTED = wanted(INSIDE, Options())


@pytest.fixture
def engine() -> Iterator[Engine]:
    with running_engine() as started:
        started.has(container("a", "web"))
        yield started


def names(engine: Engine, archive: bytes) -> dict[str, bytes]:
    """The files and links of the copy that is made of an archive, with what they hold or lead to."""
    engine.answers[f"/containers/{WEB}/archive"] = archive
    found = {}
    with connect(engine.url) as client, copied(client, WEB, WANTED) as place:
        for directory, _, files in os.walk(place):
            for name in files:
                path = os.path.join(directory, name)
                content = os.readlink(path).encode() if os.path.islink(path) else Path(path).read_bytes()
                found[os.path.relpath(path, place)] = content
    assert not os.path.exists(place)
    return found


def outcome(engine: Engine, archive: bytes) -> str:
    try:
        names(engine, archive)
    except Unreadable as problem:
        return problem.reason
    return "copied"


def test_a_copy_has_the_facts_of_the_root_that_it_is_of(engine: Engine, tmp_path: Path) -> None:
    """Of the whole root: what a collector reads and does not declare to read, is missing in the copy."""
    root = whole_root(tmp_path / "root")
    (root / "lib").symlink_to("usr/lib")
    put(root, "usr/bin/env", elf(X86_64))
    engine.answers[f"/containers/{WEB}/archive"] = tar_of(root)
    with connect(engine.url) as client, copied(client, WEB, WANTED) as place:
        copy = fingerprint_of(Path(place))
    original = fingerprint_of(root)
    assert copy.root == original.root
    assert copy.sections.keys() == original.sections.keys()


def test_a_copy_has_the_databases_and_logs_of_every_package_manager(engine: Engine, tmp_path: Path) -> None:
    root = system(tmp_path / "root")
    put(root, "var/lib/dpkg/info/libc6:amd64.md5sums", "0cc175b9c0f1b6a831c399e269772661  lib/libc.so.6\n")
    put(root, "var/lib/dpkg/info/libc6:amd64.list", "/lib/libc.so.6\n")
    put(root, "var/lib/dpkg/updates/0001", paragraph("nginx"))
    put(root, "var/lib/dpkg/status.d/base", "Package: base-files\nVersion: 12\nArchitecture: all\n")
    put(root, "var/log/apt/history.log", "Start-Date: 2026-11-20  02:00:11\nCommandline: apt upgrade\n")
    put(root, "lib/apk/db/installed", apk_record("musl"))
    rpm_database(root, rpm_package("bash"))
    engine.answers[f"/containers/{WEB}/archive"] = tar_of(root)
    with connect(engine.url) as client, copied(client, WEB, WANTED) as place:
        copy = fingerprint_of(Path(place)).sections["os-packages"]
        with Root(place) as opened:
            owner = owners(opened, Memory()).of("lib/libc.so.6")
    original = fingerprint_of(root).sections["os-packages"]
    assert set(copy.items) == {"base-files", "bash", "libc6", "musl", "nginx"}
    assert (copy, copy.observed) == (original, original.observed)
    assert owner == "deb:libc6 2.36-9"


def test_a_copy_is_enough_to_verify_what_is_installed(engine: Engine, tmp_path: Path) -> None:
    root = whole_root(tmp_path / "root")
    site = root / "srv/shop/lib/python3.11/site-packages"
    files = {"tools.py": "def run(): pass", "tools.dat": "1", "../../../bin/tools": "#!", "../../../share/tools": "2"}
    distribution(site, "tools", "1", files)
    put(site, "tools.dat", "patched")
    options = Options(verify=True, symbols=True)
    engine.answers[f"/containers/{WEB}/archive"] = tar_of(root)
    found = []
    with connect(engine.url) as client, copied(client, WEB, wanted(INSIDE, options)) as place:
        for one in (str(root), place):
            with Root(one) as opened:
                found.append(survey(Target("root", "web"), Subject(opened, options), INSIDE).sections)
    assert found[0]["verify/srv/shop"].items["tools"]["modified"] == ("tools.dat",)
    assert {path: section.items for path, section in found[0].items()} == {
        path: section.items for path, section in found[1].items()
    }


def test_only_what_is_read_is_copied_with_its_content(engine: Engine) -> None:
    metadata = b"Name: foo\nVersion: 1\n"
    site = "usr/lib/python3/dist-packages"
    found = names(
        engine,
        tar(
            entry("etc/shadow", content=b"secret"),
            entry("etc/os-release", content=b"ID=debian\n"),
            entry(f"{site}/foo-1.dist-info/METADATA", content=metadata),
            entry(f"{site}/foo.py", content=b"password = 'secret'"),
        ),
    )
    assert found == {
        "etc/os-release": b"ID=debian\n",
        f"{site}/foo-1.dist-info/METADATA": metadata,
        f"{site}/foo.py": bytes(19),
    }


def test_no_entry_leaves_the_copy(engine: Engine, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    found = names(
        engine,
        tar(
            entry("../etc/os-release", content=b"1"),
            entry(f"../../../../{outside}/etc/os-release", content=b"2"),
            entry("etc", tarfile.SYMTYPE, link=str(outside)),
            entry("etc/os-release", content=b"3"),
            entry("etc/deep", tarfile.SYMTYPE, link="x"),
            entry("usr/lib/os-release", tarfile.LNKTYPE, link="../../../../etc/hostname"),
        ),
    )
    assert os.listdir(outside) == []
    assert found.get("etc/os-release") == b"3"
    assert "usr/lib/os-release" not in found


def test_a_device_and_a_fifo_are_not_copied(engine: Engine) -> None:
    found = names(engine, tar(entry("etc/os-release", tarfile.FIFOTYPE), entry("pyvenv.cfg", tarfile.CHRTYPE)))
    assert found == {}


@pytest.mark.parametrize(
    "entries",
    [
        (entry("etc/os-release", content=b"1"), entry("etc/os-release", content=b"2")),
        (entry("etc/os-release", content=b"1"), entry("etc/os-release", tarfile.DIRTYPE)),
        (entry("etc/os-release", content=b"1"), entry("etc/os-release/pyvenv.cfg", content=b"2")),
        (entry("etc/os-release", tarfile.DIRTYPE), entry("etc/os-release", content=b"2")),
        (entry(f"{'x' * 300}/pyvenv.cfg", content=b"1"),),
    ],
    ids=["file twice", "directory over a file", "below a file", "file over a directory", "a long name"],
)
def test_an_archive_that_no_directory_can_hold_is_told_and_not_raised(
    engine: Engine, entries: tuple[Entry, ...]
) -> None:
    assert outcome(engine, tar(*entries)) in ("copied", Reason.CAP)


@pytest.mark.parametrize("archive", [b"", b"no archive" * 100, tar(entry("etc/os-release", content=b"1"))[:600]])
def test_what_is_no_archive_is_told(engine: Engine, archive: bytes) -> None:
    assert outcome(engine, archive) == Reason.INVALID


def test_a_container_whose_process_may_not_be_looked_into_is_read_through_its_archive(
    engine: Engine, tmp_path: Path
) -> None:
    """The engine tells the number of a process that is not the container's, as from inside a virtual machine."""
    distribution(venv(system(tmp_path), "srv/app"), "shop", "1")
    running = container("a", "web", State={"Running": True, "Pid": os.getpid(), "StartedAt": "today"})
    engine.has(running)
    engine.answers["/containers/web/json"] = running
    engine.answers[f"/containers/{WEB}/archive"] = tar_of(tmp_path)
    found = fingerprint("container:web", Options(engine=engine.url))
    assert found.sections["python/srv/app"].items["shop"]["version"] == "1"
    assert found.sections["container/web"].items["image"]["platform"] == "linux/amd64"
    assert {method for method, _ in engine.requests} == {"GET"}
