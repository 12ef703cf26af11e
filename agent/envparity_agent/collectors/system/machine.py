"""The machine below a running system: kernel, processors, memory, and whether it is virtual.

A root directory that is not the running system's has no machine of its own, so there is no section for it.
"""

import os
import platform
import re
from collections.abc import Iterator

from envparity_agent.collectors.interface import Subject
from envparity_agent.errors import Unreadable
from envparity_agent.fingerprint import Attributes, Section
from envparity_agent.root import Root

# DMI vendor or product text -> hypervisor, as in systemd's detect-virt
_DMI = (
    ("vmware", "vmware"), ("virtualbox", "virtualbox"), ("innotek", "virtualbox"), ("xen", "xen"),
    ("qemu", "kvm"), ("kvm", "kvm"), ("bochs", "kvm"), ("google compute engine", "kvm"), ("amazon ec2", "kvm"),
    ("openstack", "kvm"), ("virtual machine", "hyper-v"), ("parallels", "parallels"), ("bhyve", "bhyve"),
    ("apple virtualization", "apple"),
)  # fmt: skip


def collect(subject: Subject) -> Iterator[Section]:
    """Yield `os/machine` for the running system, nothing for another root."""
    root = subject.root
    if not root.live:
        return
    cpuinfo = _text(root, "proc/cpuinfo")
    system = platform.uname()
    items: dict[str, Attributes] = {
        "kernel": {"release": system.release, "build": system.version, "machine": system.machine},
        "cpu": _cpu(root, cpuinfo),
        "memory": {"total": _memory(root)},
        "virtualisation": {"kind": virtualisation(root, cpuinfo)},
    }
    yield Section("os/machine", "machine", 1, items)


def _cpu(root: Root, cpuinfo: str) -> Attributes:
    model = re.search(r"^(?:model name|Processor|cpu model)\s*:\s*(.+)$", cpuinfo, re.MULTILINE)
    facts: dict[str, str | int] = {"cores": _count(_text(root, "sys/devices/system/cpu/online"))}
    if model:
        facts["model"] = model.group(1).strip()
    return facts


def _count(ranges: str) -> int:
    """How many processors a kernel list such as `0-3,8` names."""
    bounds = (part.partition("-")[::2] for part in ranges.strip().split(",") if part)
    return sum(int(last or first) - int(first) + 1 for first, last in bounds)


def _memory(root: Root) -> int | None:
    total = re.search(r"^MemTotal:\s*(\d+) kB", _text(root, "proc/meminfo"), re.MULTILINE)
    return int(total.group(1)) // 1024 if total else None


def virtualisation(root: Root, cpuinfo: str) -> str:
    """What the system runs in: `container`, a hypervisor's name, or `bare-metal`."""
    if _is_container(root):
        return "container"
    if "microsoft" in _text(root, "proc/sys/kernel/osrelease").lower():
        return "wsl"
    if root.is_directory("proc/xen"):
        return "xen"
    names = ("sys_vendor", "product_name", "board_vendor", "bios_vendor")
    dmi = " ".join(_text(root, f"sys/class/dmi/id/{name}") for name in names).lower()
    for text, kind in _DMI:
        if text in dmi:
            return kind
    if not re.search(r"^flags\s*:.*\bhypervisor\b", cpuinfo, re.MULTILINE):
        return "bare-metal"
    # a guest without DMI but with one of these is a microVM: virtio over MMIO, or a VM generation id of ACPI
    # https://github.com/firecracker-microvm/firecracker/blob/main/docs/snapshotting/snapshot-support.md
    micro = "virtio_mmio.device=" in _text(root, "proc/cmdline") or _exists(root, "sys/bus/acpi/devices/VMGENCTR:00")
    return "firecracker" if not dmi.strip() and micro else "unknown-hypervisor"


def _is_container(root: Root) -> bool:
    """Whether an engine's marker is there, and the root lies on no disk: a VM made from an image has the marker too."""
    with root.open("/", os.O_PATH) as top:
        on_no_disk = os.major(os.fstat(top).st_dev) == 0
    return on_no_disk and (_exists(root, ".dockerenv") or _exists(root, "run/.containerenv"))


def _exists(root: Root, path: str) -> bool:
    try:
        return root.stat(path) is not None
    except Unreadable:
        return False


def _text(root: Root, path: str) -> str:
    """A small file of /proc or /sys, empty where this machine has none or does not let us read it."""
    try:
        return root.read(path).decode("utf-8", "replace")
    except Unreadable:
        return ""
