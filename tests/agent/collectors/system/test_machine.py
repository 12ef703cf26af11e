"""Checks what is said of the machine, and that a directory has none."""

import os
import platform
import tempfile
from pathlib import Path

import pytest

from envparity_agent.collectors.interface import Subject
from envparity_agent.collectors.system import machine
from envparity_agent.kinds import KINDS
from envparity_agent.root import Root
from tests.agent.roots import fingerprint_of
from tests.agent.trees import put, system

GUEST = "flags\t\t: fpu vme hypervisor lahf_lm\n"
BARE = "flags\t\t: fpu vme lahf_lm\n"


def kind(root: Path, cpuinfo: str) -> str:
    with Root(str(root)) as opened:
        return machine.virtualisation(opened, cpuinfo)


def test_a_directory_has_no_machine(tmp_path: Path) -> None:
    assert "os/machine" not in fingerprint_of(system(tmp_path)).sections


def test_the_running_system_has_one() -> None:
    with Root("/") as root:
        [section] = machine.collect(Subject(root))
    assert section.items["kernel"]["release"] == platform.release()
    assert section.items["cpu"]["cores"] == os.sysconf("SC_NPROCESSORS_ONLN")
    megabytes = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 1024 // 1024
    assert section.items["memory"] == {"total": megabytes}
    declared = KINDS["machine", 1].attributes
    assert all(attribute in declared for body in section.items.values() for attribute in body)


def test_a_machine_without_a_hypervisors_flag_is_bare(tmp_path: Path) -> None:
    assert kind(tmp_path, BARE) == "bare-metal"


@pytest.mark.parametrize(
    ("file", "text", "found"),
    [
        ("sys_vendor", "QEMU", "kvm"),
        ("product_name", "VMware Virtual Platform", "vmware"),
        ("sys_vendor", "innotek GmbH", "virtualbox"),
        ("product_name", "Virtual Machine", "hyper-v"),
        ("product_name", "Google Compute Engine", "kvm"),
        ("bios_vendor", "Xen", "xen"),
    ],
)
def test_a_hypervisor_is_told_by_the_firmware(tmp_path: Path, file: str, text: str, found: str) -> None:
    put(tmp_path, f"sys/class/dmi/id/{file}", f"{text}\n")
    assert kind(tmp_path, GUEST) == found


def test_a_guest_without_firmware_is_told_by_its_devices(tmp_path: Path) -> None:
    put(tmp_path, "proc/cmdline", "console=ttyS0 virtio_mmio.device=4K@0xd0000000:5\n")
    assert kind(tmp_path, GUEST) == "firecracker"


def test_an_unknown_hypervisor_is_said_to_be_unknown(tmp_path: Path) -> None:
    assert kind(tmp_path, GUEST) == "unknown-hypervisor"


def test_a_windows_subsystem_is_told_by_its_kernel(tmp_path: Path) -> None:
    put(tmp_path, "proc/sys/kernel/osrelease", "5.15.90.1-Microsoft-standard-WSL2\n")
    assert kind(tmp_path, BARE) == "wsl"


def test_a_marker_of_an_engine_makes_a_container_only_where_no_disk_lies_below(tmp_path: Path) -> None:
    """A virtual machine that was made from an image has the marker too, but its root is on a disk."""
    for place in (tmp_path, Path(tempfile.mkdtemp(dir="/dev/shm"))):
        try:
            put(place, ".dockerenv")
            on_disk = os.major(place.stat().st_dev) != 0
            assert kind(place, BARE) == ("bare-metal" if on_disk else "container")
        finally:
            (place / ".dockerenv").unlink()
            place.rmdir()


def test_a_damaged_proc_leaves_what_is_known(tmp_path: Path) -> None:
    os.mkfifo(put(tmp_path, "proc/other").parent / "cmdline")
    assert kind(tmp_path, GUEST) == "unknown-hypervisor"
