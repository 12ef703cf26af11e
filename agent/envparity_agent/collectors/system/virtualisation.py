"""Whether a system runs on bare metal, in a virtual machine or in a container, and in which kind.

The signs are those of systemd's detect-virt, as far as files tell them: https://systemd.io/CONTAINER_INTERFACE and
https://github.com/systemd/systemd/blob/main/src/basic/virt.c
"""

import re

from envparity_agent.collectors.system.files import Files
from envparity_agent.collectors.system.processor import flags

_DMI = "sys/class/dmi/id"
_DMI_FILES = ("product_name", "sys_vendor", "board_vendor", "bios_vendor", "product_version")
# how a text of the firmware begins -> hypervisor
_VENDORS = tuple(
    (re.compile(rf"(?:{pattern})\b", re.IGNORECASE), kind)
    for pattern, kind in (
        ("parallels", "parallels"),  # before hyper-v: its product is a "Virtual Machine" as well
        ("vmware|vmw", "vmware"),
        ("virtualbox|innotek gmbh", "virtualbox"),
        ("xen|hvm domu", "xen"),
        ("bhyve", "bhyve"),
        ("apple virtualization", "apple"),
        ("qemu|kvm|bochs|kubevirt|openstack|standard pc", "kvm"),
        ("virtual machine|hyper-v", "hyper-v"),
    )
)
# clouds that also let whole machines, with the same text in their firmware
_CLOUDS = re.compile(r"(?:amazon ec2|google compute engine|alibaba cloud|digitalocean|hetzner)\b", re.IGNORECASE)

_ENGINES = re.compile(
    r"/docker[/-]|/containers/storage/|containerd|/kubepods|/libpod-|/lxc[/.]|/crio-|/machine\.slice/"
)
_DISKS = re.compile(r"^(?:ext[234]|xfs|f2fs|jfs|bcachefs|reiserfs)$")


def virtualisation(files: Files, cpuinfo: str | None) -> str | None:
    """`container`, a hypervisor's name or `bare-metal`; None where what would tell could not be read: `files` has why.

    A sign that was found stands; that none was found says something only where all of them could be looked for.
    """
    if _is_container(files):
        return "container"
    found = _hypervisor(files, flags(cpuinfo or ""))
    if found is not None:
        return found
    if cpuinfo is None or files.reasons:
        return None
    return "bare-metal"


def _is_container(files: Files) -> bool:
    # what a container's manager tells the init inside
    if any((files.text(path) or "").strip() for path in ("run/systemd/container", "run/host/container-manager")):
        return True
    mounts = _mounts(files)
    kind, options = mounts.get("/", ("", ""))
    if kind.startswith(("overlay", "fuse-overlayfs")) and _ENGINES.search(options):
        return True
    if any(one[0] == "fuse.lxcfs" for place, one in mounts.items() if place.startswith("/proc/")):
        return True  # LXC shows a container's own processors and memory this way
    if _ENGINES.search(files.text("proc/1/cgroup") or ""):
        return True
    # a virtual machine that was made from an image has the marker too, but its root lies on a disk
    marked = files.exists(".dockerenv") or files.exists("run/.containerenv")
    return marked and bool(kind) and not _DISKS.match(kind)


def _mounts(files: Files) -> dict[str, tuple[str, str]]:
    """Mount point -> type of the file system and its options: https://man7.org/linux/man-pages/man5/proc_pid_mountinfo.5.html."""
    found: dict[str, tuple[str, str]] = {}
    for line in (files.required("proc/self/mountinfo") or "").splitlines():
        mount, _, source = line.partition(" - ")
        fields, kind = mount.split(" "), source.split(" ", 2)
        if len(fields) > 4 and len(kind) == 3:
            found[fields[4]] = (kind[0], kind[2])
    return found


def _hypervisor(files: Files, flags: frozenset[str]) -> str | None:
    release = (files.required("proc/sys/kernel/osrelease") or "").lower()
    if "microsoft" in release or "wsl" in release:
        return "wsl"
    if (files.text("sys/hypervisor/type") or "").strip() == "xen" or files.exists("proc/xen"):
        # the first domain runs on the metal, and rules over the others
        return None if "control_d" in (files.text("proc/xen/capabilities") or "") else "xen"
    firmware = [(files.text(f"{_DMI}/{name}") or "").strip() for name in _DMI_FILES]
    for pattern, kind in _VENDORS:
        if any(map(pattern.match, firmware)):
            return kind
    x86 = "fpu" in flags
    if any(map(_CLOUDS.match, firmware)):
        rented = ".metal" in firmware[0] or firmware[0].endswith("-metal")
        return None if rented or (x86 and "hypervisor" not in flags) else "kvm"
    if any(files.names("sys/bus/vmbus/devices")):
        return "hyper-v"
    if x86:
        return _without_firmware(files, any(firmware)) if "hypervisor" in flags else None
    return _device_tree(files)


def _without_firmware(files: Files, firmware: bool) -> str:
    """What an x86 guest runs in whose firmware does not tell: a microVM where it has none, but these devices."""
    # virtio over MMIO, or a VM generation id of ACPI: https://github.com/firecracker-microvm/firecracker/tree/main/docs
    micro = "virtio_mmio.device=" in (files.text("proc/cmdline") or "") or files.exists(
        "sys/bus/acpi/devices/VMGENCTR:00"
    )
    return "firecracker" if micro and not firmware else "unknown-hypervisor"


def _device_tree(files: Files) -> str | None:
    """What the device tree tells, which stands for the firmware of other architectures."""
    compatible = files.text("proc/device-tree/hypervisor/compatible") or ""
    for text, kind in (("kvm", "kvm"), ("xen", "xen"), ("vmware", "vmware")):
        if text in compatible:
            return kind
    if any(name.startswith("fw-cfg") for name in files.names("proc/device-tree")):
        return "kvm"  # QEMU's way of handing over its configuration
    machine = files.text("proc/device-tree/compatible") or ""
    virtual = machine.startswith("linux,dummy-virt") or files.exists("proc/device-tree/ibm,partition-name")
    return "unknown-hypervisor" if compatible or virtual else None
