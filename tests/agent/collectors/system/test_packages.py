"""Checks what dpkg's database says, and that a damaged or absent one never reads as an empty one."""

import os
from pathlib import Path

import pytest

from envparity_agent.fingerprint import Reason, Section, Status
from tests.agent.roots import fingerprint_of
from tests.agent.trees import put

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


def paragraph(name: str, state: str = "install ok installed", architecture: str = "amd64", version: str = "1") -> str:
    return f"Package: {name}\nStatus: {state}\nArchitecture: {architecture}\nVersion: {version}\n\n"


def read(root: Path, status: str | bytes | None = None) -> Section:
    if status is not None:
        put(root, "var/lib/dpkg/status", status)
    return fingerprint_of(root).sections["os-packages"]


def test_a_package_has_its_version_and_architecture(tmp_path: Path) -> None:
    found = read(tmp_path, OPENSSL)
    assert found.items == {"openssl": {"version": "3.0.11-1", "architecture": "amd64"}}
    assert found.status is Status.OK


def test_a_source_package_is_kept(tmp_path: Path) -> None:
    found = read(tmp_path, OPENSSL.replace("Version: 3", "Source: openssl (3.0)\nVersion: 3"))
    assert found.items["openssl"]["source"] == "openssl (3.0)"


def test_only_packages_of_several_architectures_carry_theirs_in_the_name(tmp_path: Path) -> None:
    status = paragraph("libc6") + paragraph("libc6", architecture="i386", version="2") + paragraph("nginx")
    assert {name: body["version"] for name, body in read(tmp_path, status).items.items()} == {
        "libc6:amd64": "1",
        "libc6:i386": "2",
        "nginx": "1",
    }


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
