"""Checks whom a path belongs to, against the package managers themselves where they are there."""

import os
from pathlib import Path

import pytest

from envparity_agent.collectors.memory import Memory
from envparity_agent.collectors.system.owners import MAX_LISTED, Owners, owners
from envparity_agent.fingerprint import Reason
from envparity_agent.root import Root
from tests.agent.collectors.system.rpms import Database, Rpm, build
from tests.agent.databases import apk_record, paragraph, rpm_database, rpm_package
from tests.agent.roots import WatchedRoot
from tests.agent.trees import put
from tests.system.commands import run
from tests.system.components import DPKG, RPM, RPM_BUILD, require

YAML = "usr/lib/python3/dist-packages/yaml/__init__.py"
LIBRARY = "usr/lib/x86_64-linux-gnu/libyaml-0.so.2"


def owners_of(root: Path, *paths: str) -> Owners:
    with Root(os.fspath(root)) as opened:
        return owners(opened, Memory(), frozenset(paths) if paths else None)


def debian(root: Path, **lists: str) -> None:
    put(root, "var/lib/dpkg/status", "".join(paragraph(name, version="6.0-3") for name in lists))
    for name, content in lists.items():
        put(root, f"var/lib/dpkg/info/{name}.list", content)


def test_dpkg_owns_what_its_lists_have(tmp_path: Path) -> None:
    debian(tmp_path, yaml=f"/.\n/usr\n/{YAML}\n", libyaml=f"/.\n/usr\n/{LIBRARY}\n")
    found = owners_of(tmp_path)
    assert found.of(YAML) == found.of(f"/{YAML}") == "deb:yaml 6.0-3"
    assert found.of(LIBRARY) == "deb:libyaml 6.0-3"
    assert found.of("usr/lib/python3/dist-packages/yaml/other.py") is None


def test_a_package_of_several_architectures_has_a_list_for_each(tmp_path: Path) -> None:
    put(tmp_path, "var/lib/dpkg/status", paragraph("libyaml", version="1"))
    put(tmp_path, "var/lib/dpkg/info/libyaml:amd64.list", f"/{LIBRARY}\n")
    assert owners_of(tmp_path).of(LIBRARY) == "deb:libyaml 1"


def test_distroless_images_tell_by_their_hashes(tmp_path: Path) -> None:
    put(tmp_path, "var/lib/dpkg/status.d/yaml", "Package: yaml\nVersion: 1\nArchitecture: all\n")
    put(tmp_path, "var/lib/dpkg/status.d/yaml.md5sums", f"0cc175b9c0f1b6a831c399e269772661  {YAML}\n")
    assert owners_of(tmp_path).of(YAML) == "deb:yaml 1"


def test_rpm_owns_what_its_headers_have(tmp_path: Path) -> None:
    directories = ["/usr/lib64/", "/usr/lib64/python3.9/site-packages/yaml/"]
    names = ["libyaml.so.0", "__init__.py", "lost.so"]
    header = rpm_package("python3-pyyaml", "6.0", EPOCH=1, BASENAMES=names, DIRNAMES=directories, DIRINDEXES=[0, 1, 77])
    rpm_database(tmp_path, header)
    found = owners_of(tmp_path)
    assert found.of("lib64/libyaml.so.0") == "rpm:python3-pyyaml 1:6.0-1.el9"
    assert found.of("usr/lib64/python3.9/site-packages/yaml/__init__.py") == "rpm:python3-pyyaml 1:6.0-1.el9"
    assert found.of("lost.so") is None


def test_apk_owns_what_its_records_have(tmp_path: Path) -> None:
    files = {"": ["top.so"], "usr/lib/python3.12/site-packages/yaml": ["__init__.py"], "lib": ["libz.so.1"]}
    put(tmp_path, "lib/apk/db/installed", apk_record("py3-yaml", "6.0-r0", files=files))
    found = owners_of(tmp_path)
    paths = ("top.so", "usr/lib/python3.12/site-packages/yaml/__init__.py", "usr/lib/libz.so.1")
    assert {found.of(path) for path in paths} == {"apk:py3-yaml 6.0-r0"}


@pytest.mark.parametrize(
    ("listed", "asked"),
    [
        ("lib/libz.so.1", "usr/lib/libz.so.1"),
        ("usr/lib/libz.so.1", "lib/libz.so.1"),
        ("lib64/libz.so.1", "usr/lib64/libz.so.1"),
        ("sbin/ip", "usr/sbin/ip"),
        ("usr/sbin/ip", "bin/ip"),
        ("usr/bin/ip", "sbin/ip"),
    ],
)
def test_directories_that_are_one_where_usr_is_merged_are_one_here(tmp_path: Path, listed: str, asked: str) -> None:
    debian(tmp_path, package=f"/{listed}\n")
    assert owners_of(tmp_path, asked, "other").of(asked) == "deb:package 6.0-3"


def test_lib_below_another_directory_is_another_directory(tmp_path: Path) -> None:
    debian(tmp_path, package="/opt/lib/libz.so.1\n")
    assert owners_of(tmp_path).of("usr/lib/libz.so.1") is None
    assert owners_of(tmp_path).of("opt/lib/libz.so.1") == "deb:package 6.0-3"


def test_a_directory_of_several_packages_belongs_to_none(tmp_path: Path) -> None:
    shared = "/usr/lib/python3/dist-packages\n"
    debian(tmp_path, one=f"{shared}/usr/lib/python3/dist-packages/one\n", two=shared)
    found = owners_of(tmp_path)
    assert found.of("usr/lib/python3/dist-packages") is None
    assert found.of("usr/lib/python3/dist-packages/one") == "deb:one 6.0-3"


def test_other_files_are_known_only_where_they_are_asked_for(tmp_path: Path) -> None:
    debian(tmp_path, package="/etc/app.conf\n/etc/other.conf\n")
    assert owners_of(tmp_path).of("etc/app.conf") is None
    asked = owners_of(tmp_path, "etc/app.conf", "\ud800")
    assert asked.of("etc/app.conf") == "deb:package 6.0-3"
    assert asked.of("etc/other.conf") is None
    assert asked.of("\ud800") is None


def test_a_list_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    debian(tmp_path, good=f"/{YAML}\n", bad="")
    (tmp_path / "var/lib/dpkg/info/bad.list").unlink()
    os.mkfifo(tmp_path / "var/lib/dpkg/info/bad.list")
    found = owners_of(tmp_path)
    assert found.reasons == {Reason.NOT_REGULAR}
    assert found.of(YAML) == "deb:good 6.0-3"


def test_more_files_than_any_package_has_are_over_the_cap(tmp_path: Path) -> None:
    debian(tmp_path, good=f"/{YAML}\n", hostile="/a\n" * (MAX_LISTED + 1), more=f"/{LIBRARY}\n")
    found = owners_of(tmp_path)
    assert found.reasons == {Reason.CAP}
    assert found.of(YAML) == "deb:good 6.0-3"


def test_a_root_without_packages_owns_nothing(tmp_path: Path) -> None:
    found = owners_of(tmp_path)
    assert (found.of(YAML), found.reasons) == (None, frozenset())


def test_lists_are_read_once_for_as_long_as_nothing_changes(tmp_path: Path) -> None:
    debian(tmp_path, yaml=f"/{YAML}\n")
    memory = Memory()
    opened = WatchedRoot(os.fspath(tmp_path))
    with opened:
        owners(opened, memory)
        opened.read_paths.clear()
        memory.begin()
        assert owners(opened, memory).of(YAML) == "deb:yaml 6.0-3"
        assert opened.read_paths == []
        debian(tmp_path, yaml="/usr/lib/python3/changed\n", more=f"/{YAML}\n")
        memory.begin()
        assert owners(opened, memory).of(YAML) == "deb:more 6.0-3"


def test_what_this_machines_dpkg_says_of_its_libraries_is_said_here() -> None:
    require(DPKG)
    if not Path("/var/lib/dpkg/info").is_dir():
        pytest.skip("this machine was not installed by dpkg")
    lines = {line for one in Path("/var/lib/dpkg/info").glob("*.list") for line in one.read_text().splitlines()}
    libraries = sorted(line for line in lines if ".so." in line or line.endswith(".so"))
    paths = libraries[:: max(1, len(libraries) // 30)]
    with Root("/") as opened:
        found = owners(opened, Memory())
    for path in paths:
        told = [line for line in run("dpkg-query", "-S", path).splitlines() if not line.startswith("diversion")]
        names = {name.partition(":")[0] for line in told for name in line.partition(": ")[0].split(", ")}
        label = found.of(path)
        assert {label.removeprefix("deb:").split(" ")[0]} == names if label else len(names) > 1


def test_what_rpm_says_of_its_files_is_said_here(tmp_path: Path) -> None:
    require(RPM)
    require(RPM_BUILD)
    database = Database(tmp_path / "root")
    database.install(
        build(tmp_path, Rpm("libyaml", "0.2.5", "7", path="/usr/lib64/libyaml-0.so.2")),
        build(tmp_path, Rpm("python3-pyyaml", "6.0", "1", "2", path="/usr/lib64/python3.9/site-packages/yaml/a.py")),
    )
    found = owners_of(database.root)
    for path in database.run("-qal").split():
        told = database.run("-q", "--whatprovides", "--qf", "rpm:%{NAME} %{EVR}", path)
        assert found.of(path) == told
