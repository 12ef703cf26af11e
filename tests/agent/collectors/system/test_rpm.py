"""Checks RPM's database against rpm itself, and that a damaged or older one never reads as an empty one."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envparity_agent.collectors.system import rpm
from envparity_agent.errors import Unreadable
from envparity_agent.fingerprint import Reason, Section, Status
from envparity_agent.root import Root
from tests.agent.collectors.system.rpms import Database, Rpm, build
from tests.agent.databases import rpm_database, rpm_package
from tests.agent.roots import fingerprint_of
from tests.agent.trees import put
from tests.system.components import RPM, RPM_BUILD, require

FORMAT = "%{NAME}|%{EVR}|%{ARCH}|%{SOURCERPM}|sha256:%{SHA256HEADER}\n"


def read(root: Path) -> Section:
    return fingerprint_of(root).sections["os-packages"]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    require(RPM)
    require(RPM_BUILD)
    home = tmp_path_factory.mktemp("rpms")
    return {
        "plain": build(home / "a", Rpm("plain", "1.0", "1.el9")),
        "rebuilt": build(home / "b", Rpm("plain", "1.0", "1.el9", content="other words")),
        "epoch": build(home / "a", Rpm("with-epoch", "2.4~rc1", "3", epoch="7")),
        "no-epoch": build(home / "a", Rpm("epoch-of-none", "2^git1", "3", epoch="0")),
        "64": build(home / "a", Rpm("twin", architecture="x86_64", path="/usr/lib64/libtwin.so.1")),
        "32": build(home / "a", Rpm("twin", architecture="i686", path="/usr/lib/libtwin.so.1")),
    }


@pytest.fixture
def database(tmp_path: Path) -> Database:
    require(RPM)
    return Database(tmp_path)


def _as_rpm_says(database: Database) -> list[str]:
    return sorted(database.run("-qa", "--qf", FORMAT).splitlines())


def _as_read(root: Path) -> list[str]:
    with Root(os.fspath(root)) as opened:
        found = rpm.read(opened)
    assert found is not None
    assert not found.reasons
    return sorted(f"{one.name}|{one.version}|{one.architecture}|{one.source}|{one.content}" for one in found.packages)


def test_what_rpm_installed_reads_as_rpm_says(database: Database, built: dict[str, Path]) -> None:
    database.install(*(built[name] for name in ("plain", "epoch", "no-epoch", "64", "32")))
    assert _as_read(database.root) == _as_rpm_says(database)
    assert len(_as_read(database.root)) == 5
    found = read(database.root)
    assert found.status is Status.OK
    assert {name: body["version"] for name, body in found.items.items()} == {
        "plain": "1.0-1.el9",
        "with-epoch": "7:2.4~rc1-3",
        "epoch-of-none": "0:2^git1-3",
        "twin": "1.0-1",
        "twin:i686": "1.0-1",
    }


def test_what_was_removed_is_not_read(database: Database, built: dict[str, Path]) -> None:
    database.install(built["plain"], built["epoch"])
    database.run("-e", "--justdb", "plain")
    assert _as_read(database.root) == _as_rpm_says(database)
    assert set(read(database.root).items) == {"with-epoch"}


def test_a_package_that_was_built_again_has_other_content(tmp_path: Path, built: dict[str, Path]) -> None:
    one, other = Database(tmp_path / "one"), Database(tmp_path / "other")
    one.install(built["plain"])
    other.install(built["rebuilt"])
    first, second = (read(one.root).items["plain"] for one in (one, other))
    assert first["version"] == second["version"]
    assert first["content"] != second["content"]


def test_a_large_database_reads_as_rpm_says(database: Database, built: dict[str, Path]) -> None:
    database.install(built["plain"], built["epoch"])
    _multiply(database.root, 300)
    assert len(_as_read(database.root)) == 602
    assert _as_read(database.root) == _as_rpm_says(database)


def _multiply(root: Path, times: int) -> None:
    with closing(sqlite3.connect(root / "var/lib/rpm/rpmdb.sqlite")) as database, database:
        rows = database.execute("SELECT blob FROM Packages").fetchall()
        database.executemany("INSERT INTO Packages (blob) VALUES (?)", rows * times)


@pytest.mark.parametrize("place", ["var/lib/rpm", "usr/lib/sysimage/rpm", "usr/share/rpm"])
def test_the_database_is_found_in_each_of_its_places(tmp_path: Path, place: str) -> None:
    rpm_database(tmp_path, rpm_package("bash"), place=place)
    assert read(tmp_path).items["bash"]["version"] == "1.0-1.el9"


def test_the_keys_of_signatures_are_no_packages(tmp_path: Path) -> None:
    rpm_database(tmp_path, rpm_package("gpg-pubkey"), rpm_package("bash"))
    assert set(read(tmp_path).items) == {"bash"}


def test_the_last_installed_of_several_kernels_has_the_name(tmp_path: Path) -> None:
    kernels = [rpm_package("kernel", "5.14.0", release) for release in ("427.el9", "503.el9", "362.el9")]
    rpm_database(tmp_path, *kernels)
    found = read(tmp_path).items
    assert found["kernel"]["version"] == "5.14.0-362.el9"
    assert set(found) == {"kernel", "kernel#5.14.0-427.el9", "kernel#5.14.0-503.el9"}


@pytest.mark.parametrize(
    ("tags", "content"),
    [
        ({}, "sha256:" + "0" * 64),
        ({"SHA256HEADER": "", "SHA1HEADER": "1" * 40}, "sha1:" + "1" * 40),
        ({"SHA256HEADER": "", "SIGMD5": b"\x01\xff"}, "md5:01ff"),
        ({"SHA256HEADER": ""}, None),
    ],
)
def test_the_content_is_the_best_hash_that_the_header_has(
    tmp_path: Path, tags: dict[str, str | bytes], content: str | None
) -> None:
    rpm_database(tmp_path, rpm_package("bash", "1.0", "1", **tags))
    assert read(tmp_path).items["bash"].get("content") == content


@pytest.mark.parametrize("older", ["Packages", "Packages.db"])
def test_a_database_of_an_older_format_is_unsupported_rather_than_empty(tmp_path: Path, older: str) -> None:
    put(tmp_path, f"var/lib/rpm/{older}", b"\0" * 100)
    found = read(tmp_path)
    assert (found.status, found.reasons, found.count) == (Status.FAILED, (Reason.UNSUPPORTED,), 0)


@pytest.mark.parametrize("journal", ["rpmdb.sqlite-wal", "rpmdb.sqlite-journal"])
def test_a_transaction_that_is_not_in_the_database_is_told(tmp_path: Path, journal: str) -> None:
    rpm_database(tmp_path, rpm_package("bash"))
    put(tmp_path, f"var/lib/rpm/{journal}")
    assert read(tmp_path).status is Status.OK
    put(tmp_path, f"var/lib/rpm/{journal}", "pages")
    found = read(tmp_path)
    assert (found.status, found.reasons) == (Status.PARTIAL, (Reason.UNSUPPORTED,))
    assert set(found.items) == {"bash"}


def test_a_header_that_is_broken_hides_no_other_package(tmp_path: Path) -> None:
    wild = bytearray(rpm_package("wild"))
    wild[16:20] = b"\x7f\xff\xff\xff"  # an offset
    rpm_database(tmp_path, rpm_package("bash"), bytes(wild), b"", rpm_package("", version=""), rpm_package("curl"))
    found = read(tmp_path)
    assert (found.status, found.reasons) == (Status.PARTIAL, (Reason.INVALID,))
    assert set(found.items) == {"bash", "curl"}


def test_a_database_that_was_cut_keeps_what_could_be_read(tmp_path: Path) -> None:
    path = rpm_database(tmp_path, *(rpm_package(f"package-{number}") for number in range(200)))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) * 3 // 4])
    found = read(tmp_path)
    assert (found.status, found.reasons) == (Status.PARTIAL, (Reason.INVALID,))
    assert 0 < found.count < 200


@pytest.mark.parametrize("content", [b"", b"SQLite format 3\0", b"no database" * 100])
def test_a_file_that_is_no_database_fails(tmp_path: Path, content: bytes) -> None:
    put(tmp_path, "var/lib/rpm/rpmdb.sqlite", content)
    found = read(tmp_path)
    assert (found.status, found.reasons) == (Status.FAILED, (Reason.INVALID,))


def test_a_view_in_place_of_the_table_runs_nothing(tmp_path: Path) -> None:
    path = put(tmp_path, "var/lib/rpm/rpmdb.sqlite")
    endless = "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n FROM r) SELECT n AS hnum, n AS blob FROM r"
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(f"CREATE VIEW Packages AS {endless}")
    found = read(tmp_path)
    assert (found.status, found.reasons) == (Status.FAILED, (Reason.INVALID,))


@given(data=st.data())
def test_no_damage_makes_the_reader_raise_anything_but_its_own_error(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    root = tmp_path_factory.mktemp("rpm")
    headers = [rpm_package(f"p{number}", BASENAMES=["a"], DIRNAMES=["/"], DIRINDEXES=[0]) for number in range(40)]
    path = rpm_database(root, *headers)
    content = bytearray(path.read_bytes())
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), max_size=20)):
        content[place] = data.draw(st.integers(0, 255))
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    with Root(os.fspath(root)) as opened:
        found = rpm.read(opened)
        try:
            list(rpm.files(opened, lambda paths: paths))
        except Unreadable:
            assert found is None or found.reasons or found.packages
    assert found is not None
