"""Fingerprints a root full of traps: nothing leaks, nothing is executed, it ends, and every trap is reported."""

import os
import re
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.agent.hanging import hanging_mount
from tests.agent.trees import put, system
from tests.forking import PROGRAM, Ended
from tests.system.components import SET_PRIVILEGES, STRACE, require, require_fleet
from tests.system.serving import envparity
from tests.system.traps import SECRET, build_traps, racing
from tests.system.workspaces import workspace

pytestmark = pytest.mark.system

# uid 0, but it may not read what is closed to it
_WITHOUT_CAPABILITIES = ("setpriv", "--bounding-set=-all", "--inh-caps=-all")


@dataclass(frozen=True)
class Scan:
    """One run of `show` over the traps, and the programs that were started in it."""

    outcome: Ended
    started: tuple[str, ...]
    canary: Path

    @property
    def sections(self) -> Mapping[str, Any]:
        """The sections by path."""
        found: Mapping[str, Any] = self.outcome.document["sections"]
        return found

    def trap(self, number: int) -> Mapping[str, Any]:
        """The section of the venv with this trap."""
        found: Mapping[str, Any] = self.sections[f"python/srv/t{number:02}"]
        return found


@pytest.fixture(scope="module")
def scan() -> Iterator[Scan]:
    """The traps, scanned once under strace while what can be raced for is raced for."""
    require_fleet()
    tracer, _ = require(STRACE), require(SET_PRIVILEGES)
    with workspace("traps") as home:
        root, secret, canary, log = (home / name for name in ("root", "outside", "canary", "trace"))
        root.mkdir()
        build_traps(root, secret, canary)
        traced = (str(tracer), "-f", "-qq", "-s", "4096", "-o", str(log), "-e", "trace=execve,execveat")
        with hanging_mount(root / "mnt/share"), racing(root, secret):
            outcome = envparity("show", f"root:{root}", "--json", through=(*traced, *_WITHOUT_CAPABILITIES))
        assert outcome.exit_code == 0, outcome.complaint
        started = tuple(re.findall(r'exec(?:ve|veat)\((?:\w+, )?"([^"]*)".* = 0', log.read_text()))
        yield Scan(outcome, started, canary)
        (root / "srv/t23/hidden").chmod(0o755)


def problem(scan: Scan, number: int, item: str = "trap") -> str:
    """What is said of a distribution with a trap, beside the good one of the same venv."""
    items = scan.trap(number)["items"]
    assert items["good"]["version"] == "1.0"
    return str(items[item]["problem"])


def test_nothing_is_executed(scan: Scan) -> None:
    assert not scan.canary.exists()
    assert set(scan.started) <= {*(f"{path}/setpriv" for path in ("/usr/bin", "/bin")), str(PROGRAM)}


def test_nothing_leaks(scan: Scan) -> None:
    assert SECRET not in scan.outcome.output + scan.outcome.complaint
    passwords = [line for line in Path("/etc/shadow").read_text().splitlines() if line.startswith("root:")]
    assert all(line not in scan.outcome.output for line in passwords)


@pytest.mark.parametrize(
    ("number", "item", "reason"),
    [
        (1, "trap", "not-regular"),
        (2, "trap", "not-regular"),
        (6, "trap", "symlinks"),
        (6, "chain", "symlinks"),
        (8, "trap", "cap"),
    ],
)
def test_metadata_that_cannot_be_read_makes_its_environment_partial(
    scan: Scan, number: int, item: str, reason: str
) -> None:
    assert problem(scan, number, item) == f"unread: {reason}"
    assert scan.trap(number)["status"] == "partial"
    assert reason in scan.trap(number)["reasons"]


@pytest.mark.parametrize(
    ("number", "item"), [(2, "linked"), (3, "trap"), (3, "shadow"), (4, "trap"), (5, "trap"), (5, "init")]
)
def test_a_link_that_leads_out_leads_nowhere(scan: Scan, number: int, item: str) -> None:
    assert problem(scan, number, item) == "no metadata"


def test_a_link_that_is_swapped_under_the_reader_tells_nothing_of_the_host(scan: Scan) -> None:
    items = scan.trap(7)["items"]
    assert items["good"]["version"] == "1.0"
    assert items["trap"].get("version", "1.0") == "1.0"


@pytest.mark.parametrize("number", [9, 10, 13, 14])
def test_odd_metadata_is_read_as_far_as_it_goes(scan: Scan, number: int) -> None:
    items = scan.trap(number)["items"]
    assert items["good"]["version"] == "1.0"
    assert items["trap"]["version"].startswith("9999" if number == 13 else "1.0")


def test_text_that_is_no_utf_8_or_no_name_is_shown_by_its_escapes_under_its_place(scan: Scan) -> None:
    names = set(scan.trap(10)["items"])
    assert any(name.startswith("invalid#") for name in names)
    assert "\udced" not in scan.outcome.output


def test_a_distribution_without_name_and_version_is_kept_with_its_place(scan: Scan) -> None:
    [item] = [one for name, one in scan.trap(11)["items"].items() if "trap" in name]
    assert item["problem"] == "no name or no version in the metadata"


def test_names_that_are_none_are_kept_with_their_place(scan: Scan) -> None:
    names = [name for name in scan.trap(12)["items"] if name not in ("good", "@python")]
    assert len(names) == 5
    assert all(name.startswith("invalid#") for name in names)


def test_two_dist_infos_of_one_name_are_both_told(scan: Scan) -> None:
    names = [name for name in scan.trap(15)["items"] if name.startswith("twice")]
    assert sorted(name.partition("#")[0] for name in names) == ["twice", "twice"]


def test_every_form_is_told(scan: Scan) -> None:
    items = scan.trap(16)["items"]
    assert {name: items[name]["form"] for name in ("bare", "folder", "single", "linked")} == {
        "bare": "dist-info", "folder": "egg-info", "single": "egg-info", "linked": "egg-link",
    }  # fmt: skip


def test_a_site_directory_that_is_too_large_is_partial(scan: Scan) -> None:
    assert (scan.trap(17)["status"], scan.trap(17)["reasons"]) == ("partial", ["cap"])


def test_code_that_would_run_at_start_is_told_and_not_run(scan: Scan) -> None:
    hooks = scan.trap(18)["items"]["@python"]["hooks"]
    # hook.start is for Python 3.15, and this one is older
    assert [hook.partition("=")[0] for hook in hooks] == ["hook.pth", "sitecustomize.py", "usercustomize.py"]


def test_a_configuration_that_names_itself_is_an_orphan_and_a_huge_one_is_partial(scan: Scan) -> None:
    assert scan.trap(20)["items"]["@python"]["orphaned"] is True
    assert scan.sections["python/srv/t20b"]["reasons"] == ["cap"]


def test_an_environment_that_comes_and_goes_is_never_told_as_whole_and_empty(scan: Scan) -> None:
    found = scan.sections.get("python/srv/t21")
    assert found is None or found["status"] == "partial" or "good" in found["items"]


def test_an_upgrade_under_way_is_never_told_as_a_removal(scan: Scan) -> None:
    found = scan.trap(22)
    assert found["status"] == "partial" or any(name.startswith("tool") for name in found["items"])


def test_a_closed_directory_makes_the_search_partial(scan: Scan) -> None:
    search = scan.sections["python"]
    assert search["items"]["srv/t23/hidden"] == {"skipped": "permission"}
    assert "permission" in search["reasons"]


def test_a_file_system_that_hangs_is_left_out_and_that_is_said(scan: Scan) -> None:
    assert scan.sections["python"]["items"]["mnt/share"] == {"skipped": "file system of type fuse"}
    assert scan.trap(24)["reasons"] == ["unsupported"]
    assert scan.trap(24)["items"]["hung"]["problem"].endswith("unsupported")


def packages_of(root: Path) -> Mapping[str, Any]:
    """What is told of the OS packages of a root."""
    shown = envparity("show", f"root:{root}", "--json")
    assert shown.exit_code == 0, shown.complaint
    found: Mapping[str, Any] = shown.document["sections"]["os-packages"]
    return found


def test_a_package_database_of_two_gigabytes_is_not_read(tmp_path: Path) -> None:
    with (system(tmp_path) / "var/lib/dpkg/status").open("r+b") as status:
        status.truncate(1 << 31)
    found = packages_of(tmp_path)
    assert (found["status"], found["reasons"]) == ("failed", ["cap"])


def test_a_half_written_package_database_is_partial_and_the_new_one_beside_it_is_not_taken(tmp_path: Path) -> None:
    whole = (system(tmp_path) / "var/lib/dpkg/status").read_text()
    put(tmp_path, "var/lib/dpkg/status", f"{whole}Package: half\nStatus: install ok inst")
    put(tmp_path, "var/lib/dpkg/status-new", whole.replace("2.36-9", "9.9"))
    found = packages_of(tmp_path)
    assert (found["status"], found["reasons"]) == ("partial", ["invalid"])
    assert found["items"]["libc6"]["version"] == "2.36-9"


@pytest.mark.parametrize("path", ["var/lib/pacman/local/x/desc", "nix/store/x"])
def test_a_system_whose_packages_nobody_can_read_is_unsupported_and_not_empty(tmp_path: Path, path: str) -> None:
    put(tmp_path, "etc/os-release", "ID=arch\n")
    put(tmp_path, path, "x")
    found = packages_of(tmp_path)
    assert (found["status"], found["reasons"]) == ("absent", ["unsupported"])


def _a_view(place: Path) -> None:
    with closing(sqlite3.connect(place)) as database:
        endless = "with recursive n(x) as (select 1 union all select x from n) select x from n"
        database.execute(f"create view Packages as {endless}")
        database.commit()


def _wild_offsets(place: Path) -> None:
    with closing(sqlite3.connect(place)) as database:
        database.execute("create table Packages (hnum integer primary key, blob blob)")
        database.execute("insert into Packages values (1, ?)", (b"\x7f\xff\xff\xff" * 64,))
        database.commit()


def _no_database(place: Path) -> None:
    place.write_bytes(os.urandom(65536))


@pytest.mark.parametrize("make", [_a_view, _wild_offsets, _no_database])
def test_a_hostile_rpm_database_is_unread_and_the_rest_stands(tmp_path: Path, make: Callable[[Path], None]) -> None:
    put(tmp_path, "etc/os-release", "ID=fedora\nVERSION_ID=41\n")
    (tmp_path / "usr/lib/sysimage/rpm").mkdir(parents=True)
    make(tmp_path / "usr/lib/sysimage/rpm/rpmdb.sqlite")
    found = packages_of(tmp_path)
    assert (found["status"], found["items"]) in (("failed", {}), ("partial", {}))
    assert found["reasons"] == ["invalid"]
    shown = envparity("show", f"root:{tmp_path}", "--json").document["sections"]
    assert shown["os"]["items"]["distribution"]["id"] == "fedora"
