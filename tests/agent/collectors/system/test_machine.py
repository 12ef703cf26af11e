"""Checks what is said of the machine on recorded hosts, that a directory has none, and that nothing is made up."""

import os
import platform
from pathlib import Path

import pytest

from envparity_agent.collectors.interface import Subject
from envparity_agent.collectors.system import machine
from envparity_agent.fingerprint import Attributes, Reason
from envparity_agent.kinds import KINDS
from envparity_agent.root import Root
from tests.agent.collectors.system import recorded
from tests.agent.roots import fingerprint_of
from tests.agent.trees import put, system
from tests.agent.unprivileged import told_without_privileges


def read(root: Path) -> tuple[dict[str, Attributes], set[str]]:
    with Root(str(root)) as opened:
        return machine.read(opened)


def kind(root: Path) -> object:
    return read(root)[0].get("virtualisation", {}).get("kind")


def test_a_directory_has_no_machine(tmp_path: Path) -> None:
    assert "os/machine" not in fingerprint_of(system(tmp_path)).sections


def test_the_running_system_has_one() -> None:
    with Root("/") as root:
        [section] = machine.collect(Subject(root))
    assert section.items["kernel"]["release"] == platform.release()
    assert section.items["cpu"]["cores"] == os.sysconf("SC_NPROCESSORS_ONLN")
    megabytes = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 1024 // 1024
    assert section.items["memory"]["total"] == megabytes
    declared = KINDS["machine", section.schema].attributes
    assert all(attribute in declared for body in section.items.values() for attribute in body)


@pytest.mark.parametrize("name", recorded.names("hosts"))
def test_a_recorded_host_is_told_as_what_it_is(tmp_path: Path, name: str) -> None:
    golden = recorded.build(tmp_path, "hosts", name)
    assert read(tmp_path) == (golden, set())


def test_every_declared_attribute_is_told_of_some_recorded_host(tmp_path: Path) -> None:
    told = {"release", "build", "machine"}  # of the kernel, by uname
    for name in recorded.names("hosts"):
        recorded.build(tmp_path / name, "hosts", name)
        told |= {attribute for body in read(tmp_path / name)[0].values() for attribute in body}
    assert told == set(KINDS["machine", 2].attributes)


def test_without_proc_and_sys_nothing_is_said_but_that(tmp_path: Path) -> None:
    """An empty directory once was a machine of bare metal with no processor, and all was well."""
    assert read(tmp_path) == ({}, {Reason.VANISHED})


def test_a_processor_that_cannot_be_read_leaves_open_what_it_would_tell(tmp_path: Path) -> None:
    recorded.build(tmp_path, "hosts", "bare-metal")
    (tmp_path / "proc/cpuinfo").unlink()
    os.mkfifo(tmp_path / "proc/cpuinfo")
    items, reasons = read(tmp_path)
    assert items == {"cpu": {"cores": 4}, "memory": {"total": 64191}}
    assert reasons == {Reason.NOT_REGULAR}


def test_a_sign_that_cannot_be_looked_for_is_no_sign_of_bare_metal(tmp_path: Path) -> None:
    recorded.build(tmp_path, "hosts", "bare-metal")
    (tmp_path / "sys/class/dmi/id/sys_vendor").unlink()
    (tmp_path / "sys/class/dmi/id/sys_vendor").symlink_to("sys_vendor")
    items, reasons = read(tmp_path)
    assert (kind(tmp_path), reasons) == (None, {Reason.SYMLINKS})
    assert items["cpu"]["cores"] == 4


def test_a_sign_that_was_found_needs_no_other(tmp_path: Path) -> None:
    golden = recorded.build(tmp_path, "hosts", "docker-cgroup2")
    (tmp_path / "proc/sys/kernel/osrelease").unlink()
    assert read(tmp_path) == (golden, set())


def test_what_a_user_may_not_read_is_left_out_with_its_reason(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    recorded.build(tmp_path, "hosts", "docker-cgroup2")
    for path in ("proc/meminfo", "sys/fs/cgroup/cpu.max"):
        (tmp_path / path).chmod(0)
    script = """
from envparity_agent.collectors.system import machine
items, reasons = machine.read(root)
print(*reasons, sorted(items["cpu"]), items["memory"])
"""
    told = told_without_privileges(tmp_path, script)
    assert told == "permission ['cores', 'features', 'level', 'model'] {'given': 512}"


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("proc/meminfo", "MemTotal: much\n"),
        ("sys/fs/cgroup/cpu.max", "lots 100000\n"),
        ("sys/fs/cgroup/cpu.max", "1\n"),
        ("sys/fs/cgroup/memory.max", "-5\n"),
        ("sys/fs/cgroup/memory.max", "9" * 5000),
    ],
)
def test_what_is_no_number_is_invalid(tmp_path: Path, path: str, text: str) -> None:
    recorded.build(tmp_path, "hosts", "docker-cgroup2")
    put(tmp_path, path, text)
    assert read(tmp_path)[1] == {Reason.INVALID}


def test_processors_are_counted_where_the_kernel_has_no_list_of_them(tmp_path: Path) -> None:
    recorded.build(tmp_path, "hosts", "kvm-qemu")
    (tmp_path / "sys/devices/system/cpu/online").unlink()
    assert read(tmp_path)[0]["cpu"]["cores"] == 1


def test_a_marker_of_an_engine_makes_a_container_only_where_the_root_lies_on_no_disk(tmp_path: Path) -> None:
    """A virtual machine that was made from an image has the marker too, but its root is on a disk."""
    recorded.build(tmp_path, "hosts", "bare-metal")
    put(tmp_path, ".dockerenv")
    assert kind(tmp_path) == "bare-metal"
    put(tmp_path, "proc/self/mountinfo", "1 0 0:9 / / rw - btrfs /dev/sda1 rw,subvol=/subvolumes/1\n")
    assert kind(tmp_path) == "container"


@pytest.mark.parametrize(
    ("missing", "level"),
    [("", "x86-64-v4"), ("avx512vl", "x86-64-v3"), ("movbe", "x86-64-v2"), ("ssse3", "x86-64-v1"), ("lm", None)],
)
def test_the_level_is_the_highest_of_which_nothing_lacks(tmp_path: Path, missing: str, level: str | None) -> None:
    recorded.build(tmp_path, "hosts", "aws-nitro")
    cpuinfo = (tmp_path / "proc/cpuinfo").read_text()
    put(tmp_path, "proc/cpuinfo", cpuinfo.replace(f" {missing} ", " ") if missing else cpuinfo)
    assert read(tmp_path)[0]["cpu"].get("level") == level


def test_bugs_and_mitigations_are_no_features(tmp_path: Path) -> None:
    """They move with microcode and kernel, and no program asks for them."""
    golden = recorded.build(tmp_path, "hosts", "kvm-qemu")
    cpuinfo = (tmp_path / "proc/cpuinfo").read_text()
    put(tmp_path, "proc/cpuinfo", cpuinfo.replace(" sse ", " sse ibrs ibpb stibp md_clear arch_capabilities "))
    assert read(tmp_path)[0]["cpu"]["features"] == golden["cpu"]["features"]
