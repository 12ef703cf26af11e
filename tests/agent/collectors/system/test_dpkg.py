"""Checks what dpkg's database says, and that a damaged or absent one never reads as an empty one."""

import os
from hashlib import md5, sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envparity_agent.collectors.system import dpkg
from envparity_agent.errors import Unreadable
from envparity_agent.fingerprint import Reason, Section, Status
from envparity_agent.root import Root
from tests.agent.databases import paragraph
from tests.agent.roots import fingerprint_of
from tests.agent.trees import put
from tests.system.cache import cache_directory, cache_lock
from tests.system.commands import run
from tests.system.components import DPKG, DPKG_DEB, require, require_fleet
from tests.system.roots import pristine_roots

OPENSSL = """Package: openssl
Status: install ok installed
Priority: optional
Maintainer: Debian <openssl@example.org>
Architecture: amd64
Version: 3.0.11-1
Description: Secure Sockets Layer toolkit
 Version: 9.9 is only text of the description
 .
 Package: neither

"""


def read(root: Path, status: str | bytes | None = None) -> Section:
    if status is not None:
        put(root, "var/lib/dpkg/status", status)
    return fingerprint_of(root).sections["os-packages"]


def test_a_package_has_its_version_and_architecture(tmp_path: Path) -> None:
    found = read(tmp_path, OPENSSL)
    assert found.items == {"openssl": {"version": "3.0.11-1", "architecture": "amd64", "manager": "deb"}}
    assert (found.status, found.schema) == (Status.OK, 2)


def test_a_source_package_is_kept(tmp_path: Path) -> None:
    found = read(tmp_path, OPENSSL.replace("Version: 3", "Source: openssl (3.0)\nVersion: 3"))
    assert found.items["openssl"]["source"] == "openssl (3.0)"


def test_only_the_foreign_one_of_several_architectures_carries_it_in_the_name(tmp_path: Path) -> None:
    status = paragraph("libc6") + paragraph("libc6", architecture="i386", version="2") + paragraph("nginx")
    assert {name: body["version"] for name, body in read(tmp_path, status).items.items()} == {
        "libc6": "1",
        "libc6:i386": "2",
        "nginx": "1",
    }


def test_a_package_keeps_its_name_where_another_architecture_of_it_is_added(tmp_path: Path) -> None:
    native = paragraph("libc6") + paragraph("nginx")
    before = read(tmp_path, native).items
    for architecture in ("arm64", "zarch"):
        after = read(tmp_path, native + paragraph("libc6", architecture=architecture)).items
        assert after == {**before, f"libc6:{architecture}": after[f"libc6:{architecture}"]}


def test_an_architecture_whose_files_are_gone_does_not_count(tmp_path: Path) -> None:
    status = paragraph("libc6") + paragraph("libc6", "deinstall ok config-files", "i386")
    assert set(read(tmp_path, status).items) == {"libc6"}


@pytest.mark.parametrize("state", ["deinstall ok config-files", "purge ok not-installed"])
def test_what_left_only_configuration_is_not_installed(tmp_path: Path, state: str) -> None:
    found = read(tmp_path, paragraph("gone", state) + paragraph("here"))
    assert set(found.items) == {"here"}
    assert found.status is Status.OK


@pytest.mark.parametrize("state", ["half-configured", "half-installed", "unpacked", "triggers-pending"])
def test_a_package_that_is_half_there_says_so(tmp_path: Path, state: str) -> None:
    found = read(tmp_path, paragraph("nginx", f"install ok {state}"))
    assert found.items["nginx"]["state"] == state


def test_a_system_without_dpkg_is_not_supported_rather_than_empty(tmp_path: Path) -> None:
    found = read(tmp_path)
    assert (found.status, found.reasons, found.count) == (Status.ABSENT, (Reason.UNSUPPORTED,), 0)


def test_a_file_without_any_field_of_a_package_is_not_complete(tmp_path: Path) -> None:
    found = read(tmp_path, paragraph("nginx") + "Version: 2\n\n")
    assert (found.status, found.reasons) == (Status.PARTIAL, (Reason.INVALID,))
    assert set(found.items) == {"nginx"}


def test_wherever_a_file_was_cut_inside_a_package_it_is_not_complete(tmp_path: Path) -> None:
    whole = OPENSSL + paragraph("nginx", version="1.22.1-9")
    inside = range(len(OPENSSL) + 1, len(whole) - 2)
    taken = [whole[:end][-20:] for end in inside if read(tmp_path, whole[:end]).status is Status.OK]
    assert taken == []


def test_bytes_that_are_no_text_do_not_hide_the_packages(tmp_path: Path) -> None:
    found = read(tmp_path, b"Package: a\nStatus: install ok installed\nVersion: 1\xff\nArchitecture: all\n\n")
    assert found.items["a"]["version"] == "1\N{REPLACEMENT CHARACTER}"


def test_a_database_that_is_no_file_fails(tmp_path: Path) -> None:
    os.mkfifo(put(tmp_path, "var/lib/dpkg/other").parent / "status")
    found = read(tmp_path)
    assert (found.status, found.reasons) == (Status.FAILED, (Reason.NOT_REGULAR,))


def test_a_database_of_two_gigabytes_is_over_the_cap(tmp_path: Path) -> None:
    with put(tmp_path, "var/lib/dpkg/status").open("wb") as file:
        file.truncate(2**31)
    found = read(tmp_path)
    assert (found.status, found.reasons) == (Status.FAILED, (Reason.CAP,))


def test_updates_that_dpkg_has_not_merged_yet_count(tmp_path: Path) -> None:
    put(tmp_path, "var/lib/dpkg/updates/0001", paragraph("nginx", version="2"))
    put(tmp_path, "var/lib/dpkg/updates/0002", paragraph("curl", "deinstall ok config-files"))
    put(tmp_path, "var/lib/dpkg/updates/tmp.i", "Package: half")
    found = read(tmp_path, paragraph("nginx") + paragraph("curl"))
    assert {name: body["version"] for name, body in found.items.items()} == {"nginx": "2"}
    assert found.status is Status.OK


def test_the_status_file_stands_while_dpkg_writes_the_next_one(tmp_path: Path) -> None:
    put(tmp_path, "var/lib/dpkg/status-new", "Package: ngi")
    assert read(tmp_path, paragraph("nginx")).status is Status.OK


SUMS = "0cc175b9c0f1b6a831c399e269772661  usr/bin/nginx\n92eb5ffee6ae2fec3ad71c777531578f  usr/share/a b\n"


def test_the_content_is_a_hash_of_the_hashes_of_the_files(tmp_path: Path) -> None:
    put(tmp_path, "var/lib/dpkg/info/nginx.md5sums", SUMS)
    ordered = "".join(sorted(SUMS.splitlines(keepends=True))).rstrip("\n")
    content = read(tmp_path, paragraph("nginx")).items["nginx"]["content"]
    assert content == f"sha256:{sha256(ordered.encode()).hexdigest()}"


def test_the_order_of_the_hashes_is_no_difference_and_another_hash_is_one(tmp_path: Path) -> None:
    def content(sums: str) -> object:
        put(tmp_path, "var/lib/dpkg/info/nginx.md5sums", sums)
        return read(tmp_path, paragraph("nginx")).items["nginx"]["content"]

    first, second = SUMS.splitlines(keepends=True)
    assert content(first + second) == content(second + first) != content(first + second.replace("92", "93"))


def test_each_architecture_has_its_own_content(tmp_path: Path) -> None:
    put(tmp_path, "var/lib/dpkg/info/libc6:amd64.md5sums", "aa  lib/a\n")
    put(tmp_path, "var/lib/dpkg/info/libc6:i386.md5sums", "bb  lib/a\n")
    status = paragraph("libc6") + paragraph("libc6", architecture="i386") + paragraph("nginx")
    items = read(tmp_path, status).items
    assert items["libc6"]["content"] != items["libc6:i386"]["content"]


def test_a_package_without_a_list_of_hashes_has_no_content(tmp_path: Path) -> None:
    put(tmp_path, "var/lib/dpkg/info/nginx.md5sums", "")
    items = read(tmp_path, paragraph("nginx") + paragraph("curl")).items
    assert "content" not in items["nginx"]
    assert "content" not in items["curl"]


def test_a_list_of_hashes_that_cannot_be_read_is_told_and_hides_no_package(tmp_path: Path) -> None:
    put(tmp_path, "var/lib/dpkg/info/curl.md5sums", SUMS)
    os.mkfifo(tmp_path / "var/lib/dpkg/info/nginx.md5sums")
    found = read(tmp_path, paragraph("nginx") + paragraph("curl"))
    assert (found.status, found.reasons) == (Status.PARTIAL, (Reason.NOT_REGULAR,))
    assert set(found.items) == {"curl", "nginx"}
    assert "content" in found.items["curl"]


def test_a_name_with_slashes_leads_to_no_other_file(tmp_path: Path) -> None:
    put(tmp_path, "var/lib/dpkg/info/x.md5sums", SUMS)
    put(tmp_path, "etc/secret.md5sums", SUMS)
    found = read(tmp_path, paragraph("../../../../etc/secret"))
    assert "content" not in found.items["../../../../etc/secret"]


def test_the_packages_of_a_distroless_image_are_read_from_its_parts(tmp_path: Path) -> None:
    put(tmp_path, "var/lib/dpkg/status.d/base", "Package: base-files\nVersion: 12.4\nArchitecture: amd64\n")
    put(tmp_path, "var/lib/dpkg/status.d/base.md5sums", SUMS)
    put(tmp_path, "var/lib/dpkg/status.d/tzdata", "Package: tzdata\nVersion: 2024a\nArchitecture: all\n")
    found = read(tmp_path)
    assert found.status is Status.OK
    assert {name: body["version"] for name, body in found.items.items()} == {"base-files": "12.4", "tzdata": "2024a"}
    assert "content" in found.items["base-files"]


def test_a_part_that_is_no_package_is_told(tmp_path: Path) -> None:
    put(tmp_path, "var/lib/dpkg/status.d/base", "Package: base-files\nVersion: 12.4\nArchitecture: amd64\n")
    put(tmp_path, "var/lib/dpkg/status.d/half", "Pack")
    found = read(tmp_path)
    assert (found.status, found.reasons, set(found.items)) == (Status.PARTIAL, (Reason.INVALID,), {"base-files"})


def test_an_empty_database_alone_is_not_a_system_without_packages(tmp_path: Path) -> None:
    found = read(tmp_path, "")
    assert (found.status, found.reasons) == (Status.FAILED, (Reason.INVALID,))


@given(st.binary(max_size=400) | st.text("Package:Status Vrion\n 1\0é", max_size=200).map(str.encode))
def test_no_bytes_make_the_reader_raise_anything_but_its_own_error(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    root = tmp_path_factory.getbasetemp() / "dpkg-bytes"
    put(root, "var/lib/dpkg/status", content)
    put(root, "var/lib/dpkg/status.d/part", content)
    put(root, "var/lib/dpkg/status.d/part.md5sums", content)
    with Root(os.fspath(root)) as opened:
        try:
            found = dpkg.read(opened)
            labels = [label for label, _ in dpkg.files(opened, lambda paths: paths)]
        except Unreadable:
            return
    assert found is None or all(isinstance(one.label, str) for one in found.packages)
    assert all(labels)


def _made(home: Path, name: str, version: str, architecture: str, content: str) -> Path:
    """A .deb with one file."""
    tree = home / f"{name}_{version}_{architecture}"
    put(tree, f"usr/share/{name}/{architecture}.txt", content)
    control = f"Package: {name}\nVersion: {version}\nArchitecture: {architecture}\nMaintainer: A <a@example.org>\n"
    same = "Multi-Arch: same\n" if architecture != "all" else ""
    hash = md5(content.encode(), usedforsecurity=False).hexdigest()
    put(tree, "DEBIAN/control", f"{control}{same}Description: words\n")
    put(tree, "DEBIAN/md5sums", f"{hash}  usr/share/{name}/{architecture}.txt\n")
    run("dpkg-deb", "--root-owner-group", "--build", tree, f"{tree}.deb")
    return Path(f"{tree}.deb")


def _as_dpkg_query_says(root: Path) -> dict[str, tuple[str, str]]:
    told = run("dpkg-query", f"--root={root}", "-W", "-f", "${Package}\t${Architecture}\t${Version}\n").splitlines()
    rows = [line.split("\t") for line in told]
    names = [name for name, _, _ in rows]
    return {
        name if names.count(name) == 1 or architecture == "amd64" else f"{name}:{architecture}": (version, architecture)
        for name, architecture, version in rows
    }


def _as_read(root: Path) -> dict[str, tuple[object, object]]:
    found = fingerprint_of(root).sections["os-packages"]
    assert found.status is Status.OK
    return {name: (body["version"], body["architecture"]) for name, body in found.items.items()}


def test_what_dpkg_installed_reads_as_dpkg_query_says(tmp_path: Path) -> None:
    require(DPKG_DEB)
    dpkg_itself = require(DPKG)
    if os.geteuid() != 0:
        pytest.skip("dpkg installs below a root directory as root only")
    root = tmp_path / "root"
    for path in ("var/lib/dpkg/status", "var/lib/dpkg/available", "var/lib/dpkg/info/format", "var/lib/dpkg/arch"):
        put(root, path, "1\n" if path.endswith("format") else "amd64\ni386\n" if path.endswith("arch") else "")
    (root / "var/lib/dpkg/updates").mkdir()
    packages = [
        _made(tmp_path, "plain", "1:2.0-1", "all", "a"),
        _made(tmp_path, "native", "1.0", "amd64", "n"),
        _made(tmp_path, "twin", "1.0", "amd64", "b"),
        _made(tmp_path, "twin", "1.0", "i386", "c"),
    ]
    arguments = (f"--root={root}", "--force-all", f"--log={root}/log", "--install")
    run(dpkg_itself, *arguments, *packages)
    assert _as_read(root) == _as_dpkg_query_says(root)
    before = fingerprint_of(root).sections["os-packages"].items
    assert len({before[name]["content"] for name in ("plain", "twin", "twin:i386")}) == 3
    run(dpkg_itself, *arguments, _made(tmp_path / "again", "plain", "1:2.0-1", "all", "rebuilt"))
    after = fingerprint_of(root).sections["os-packages"].items
    assert after["plain"]["version"] == before["plain"]["version"]
    assert {name for name in before if before[name] != after[name]} == {"plain"}


@pytest.mark.system
def test_three_debian_releases_read_as_dpkg_query_says() -> None:
    require_fleet()
    cache = cache_directory()
    with cache_lock(cache):
        roots = pristine_roots(cache)
    for root in (roots.bookworm, roots.bullseye, roots.trixie):
        assert _as_read(root) == _as_dpkg_query_says(root)
