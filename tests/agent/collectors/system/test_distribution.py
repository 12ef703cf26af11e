"""Checks what the files of a system say that it is, also where they lie."""

import os
from pathlib import Path

import pytest

from envparity_agent.fingerprint import Attributes, Reason, Section, Status
from tests.agent.collectors.system import recorded
from tests.agent.roots import fingerprint_of
from tests.agent.trees import AARCH64, ARM, GLIBC, I386, X86_64, elf, put, system
from tests.agent.unprivileged import told_without_privileges

MUSL = b"\x00musl libc\x00\x001.2.4\x00"


def read(root: Path) -> Section:
    return fingerprint_of(root).sections["os"]


def distribution(root: Path, release: str | bytes) -> Attributes:
    put(root, "etc/os-release", release)
    return read(root).items["distribution"]


def test_a_debian_is_told_by_its_files(tmp_path: Path) -> None:
    assert read(system(tmp_path)).items == {
        "distribution": {
            "id": "debian",
            "version": "12",
            "codename": "bookworm",
            "name": "Debian 12",
            "point_release": "12.5",
        },
        "libc": {"family": "glibc", "version": "2.36"},
        "architecture": {"machine": "x86_64"},
    }


@pytest.mark.parametrize("name", recorded.names("releases"))
def test_a_recorded_distribution_is_told_by_its_files(tmp_path: Path, name: str) -> None:
    golden = recorded.build(tmp_path, "releases", name)
    found = read(tmp_path)
    assert found.items == golden
    assert found.status is (Status.OK if golden else Status.PARTIAL)


def test_a_system_that_says_nothing_of_itself_is_not_known(tmp_path: Path) -> None:
    found = read(tmp_path)
    assert (found.status, found.reasons, found.items) == (Status.PARTIAL, (Reason.NOT_INSTALLED,), {})


@pytest.mark.parametrize("path", ["etc/os-release", "usr/lib/x86_64-linux-gnu/libc.so.6"])
def test_what_may_not_be_read_makes_the_section_partial(tmp_path: Path, path: str) -> None:
    tmp_path.chmod(0o755)
    (system(tmp_path) / path).chmod(0)
    section = "found = survey(Target('root', 'x'), Subject(root)).sections['os']"
    told = told_without_privileges(tmp_path, f"\n{section}\nprint(found.status, *found.reasons, *sorted(found.items))")
    others = "distribution" if "libc" in path else "architecture libc"
    assert told == f"partial permission {others}"


def test_an_os_release_that_is_a_fifo_or_leads_in_a_circle_makes_the_section_partial(tmp_path: Path) -> None:
    release = system(tmp_path) / "etc/os-release"
    release.unlink()
    os.mkfifo(release)
    assert read(tmp_path).reasons == (Reason.NOT_REGULAR,)
    release.unlink()
    release.symlink_to("os-release")
    assert read(tmp_path).reasons == (Reason.SYMLINKS,)


def test_the_vendors_os_release_stands_in_for_the_administrators(tmp_path: Path) -> None:
    put(tmp_path, "usr/lib/os-release", "ID=fedora\n")
    assert read(tmp_path).items["distribution"] == {"id": "fedora"}
    put(tmp_path, "etc/os-release", "ID=debian\n")
    assert read(tmp_path).items["distribution"] == {"id": "debian"}


def test_a_relative_link_to_the_vendors_os_release_is_followed(tmp_path: Path) -> None:
    put(tmp_path, "usr/lib/os-release", "ID=ubuntu\n")
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/os-release").symlink_to("../usr/lib/os-release")
    assert read(tmp_path).items["distribution"] == {"id": "ubuntu"}


def test_a_command_in_os_release_is_text(tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    facts = distribution(tmp_path, f'ID=debian\nVERSION_ID="$(touch {canary})"\nPRETTY_NAME=`touch {canary}`\n')
    assert facts["version"] == f"$(touch {canary})"
    assert not canary.exists()


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("Debian", "Debian"),
        ('"Debian 12"', "Debian 12"),
        ("'Debian 12'", "Debian 12"),
        (r'"a \"b\" \$c \\ \`"', 'a "b" $c \\ `'),
        (r'"The \"best\""', 'The "best"'),
        ('"it\'s"', "it's"),
        ('"unclosed', "unclosed"),
    ],
)
def test_quotes_of_os_release_are_taken_off(tmp_path: Path, written: str, read: str) -> None:
    assert distribution(tmp_path, f"ID=x\nPRETTY_NAME={written}\n")["name"] == read


def test_comments_blank_lines_and_noise_say_nothing(tmp_path: Path) -> None:
    assert distribution(tmp_path, b"#ID=no\n\n = \nnoise\n\xff\xfe=1\nID=alpine\n") == {"id": "alpine"}


def test_a_system_without_an_id_is_linux(tmp_path: Path) -> None:
    assert distribution(tmp_path, "NAME=x\n") == {"id": "linux"}


def test_an_os_release_of_ten_megabytes_is_over_the_cap(tmp_path: Path) -> None:
    put(system(tmp_path), "etc/os-release", b"#" * 10 * 1024 * 1024)
    found = read(tmp_path)
    assert (found.status, found.reasons) == (Status.PARTIAL, (Reason.CAP,))
    assert set(found.items) == {"libc", "architecture"}


def test_without_an_os_release_the_c_library_is_still_told(tmp_path: Path) -> None:
    put(tmp_path, "usr/lib/x86_64-linux-gnu/libc.so.6", elf(X86_64, GLIBC))
    found = read(tmp_path)
    assert found.items["libc"] == {"family": "glibc", "version": "2.36"}
    assert found.status is Status.PARTIAL


@pytest.mark.parametrize(
    ("path", "machine", "name"),
    [
        ("lib/x86_64-linux-gnu/libc.so.6", X86_64, "x86_64"),
        ("usr/lib/aarch64-linux-gnu/libc.so.6", AARCH64, "aarch64"),
        ("usr/lib/arm-linux-gnueabihf/libc.so.6", ARM, "arm"),
        ("lib64/libc.so.6", X86_64, "x86_64"),
        ("usr/lib64/libc.so.6", 999, "elf-999"),
    ],
)
def test_the_c_library_is_found_where_distributions_put_it(tmp_path: Path, path: str, machine: int, name: str) -> None:
    put(tmp_path, "etc/os-release", "ID=x\n")
    put(tmp_path, path, elf(machine, GLIBC))
    items = read(tmp_path).items
    assert items["libc"] == {"family": "glibc", "version": "2.36"}
    assert items["architecture"] == {"machine": name}


def test_musl_is_told_by_its_loader(tmp_path: Path) -> None:
    put(tmp_path, "etc/os-release", "ID=alpine\n")
    put(tmp_path, "lib/ld-musl-aarch64.so.1", elf(AARCH64, MUSL))
    items = read(tmp_path).items
    assert items["libc"] == {"family": "musl", "version": "1.2.4"}
    assert items["architecture"] == {"machine": "aarch64"}


def test_a_big_endian_program_is_read_as_one(tmp_path: Path) -> None:
    put(tmp_path, "etc/os-release", "ID=x\n")
    header = bytearray(elf(0, GLIBC))
    header[5], header[18:20] = 2, (22).to_bytes(2, "big")
    put(tmp_path, "lib64/libc.so.6", bytes(header))
    assert read(tmp_path).items["architecture"] == {"machine": "s390x"}


def test_a_foreign_architectures_library_is_not_the_systems(tmp_path: Path) -> None:
    """As `dpkg --add-architecture i386` leaves it: the programs are x86_64, an i386 C library lies beside."""
    put(system(tmp_path), "usr/lib/i386-linux-gnu/libc.so.6", elf(I386, GLIBC))
    for program in ("dash", "sh", "env", "dpkg"):
        put(tmp_path, f"usr/bin/{program}", elf(X86_64))
    for link in ("bin", "lib"):
        (tmp_path / link).symlink_to(f"usr/{link}")
    assert read(tmp_path).items["architecture"] == {"machine": "x86_64"}


@pytest.mark.parametrize("content", [b"", b"\x7fELF", GLIBC, elf(X86_64)], ids=["empty", "cut", "text", "other"])
def test_what_is_no_c_library_is_not_taken_for_one(tmp_path: Path, content: bytes) -> None:
    put(tmp_path, "etc/os-release", "ID=x\n")
    put(tmp_path, "lib64/libc.so.6", content)
    assert "libc" not in read(tmp_path).items
