"""What is mounted below a root directory, and which of it may hang or hold nobody's files.

https://man7.org/linux/man-pages/man5/proc_pid_mountinfo.5.html
"""

import os
import re
from pathlib import Path
from typing import NamedTuple

LOCAL = frozenset({"ext2", "ext3", "ext4", "xfs", "btrfs", "zfs", "f2fs", "bcachefs", "jfs"})
# what is gone after a restart, or comes as one image
PASSING = frozenset({"overlay", "ramfs", "squashfs", "tmpfs"})
# the kernel's own, with no files of anybody
PSEUDO = frozenset({
    "autofs", "binfmt_misc", "bpf", "cgroup", "cgroup2", "configfs", "debugfs", "devpts", "devtmpfs", "efivarfs",
    "fusectl", "hugetlbfs", "mqueue", "nsfs", "proc", "pstore", "rpc_pipefs", "securityfs", "sysfs", "tracefs",
})  # fmt: skip

BIND = "bind"  # a local directory under a second name

_PROCESS_ROOT = re.compile(r"^(/proc/\d+)/root/?$")  # another process's root has mounts of its own
_OCTAL = re.compile(r"\\([0-7]{3})")


class _Mount(NamedTuple):
    device: str
    source: str  # the directory of the file system that is mounted
    point: str
    kind: str


def mounts(top: str) -> dict[str, str]:
    """Path below the root directory `top` -> type of the file system mounted there, the root itself left out.

    A directory of a local file system that is there under another name as well is of type `bind`.
    """
    process = _PROCESS_ROOT.match(top)
    place = "/" if process else os.path.realpath(top)
    try:
        table = Path(f"{process.group(1)}/mountinfo" if process else "/proc/self/mountinfo").read_bytes()
    except OSError:
        return {}  # no /proc: nothing tells what is mounted
    every = [_mount(line) for line in table.decode("utf-8", "surrogateescape").splitlines()]
    below = [one for one in every if place == "/" or one.point.startswith(f"{place}/")]
    by_device: dict[str, list[_Mount]] = {}
    for one in every:
        by_device.setdefault(one.device, []).append(one)
    return {
        one.point.removeprefix(place).strip("/"): BIND if _is_seen(one, by_device[one.device], place) else one.kind
        for one in below
        if one.point != place
    }


def _mount(line: str) -> _Mount:
    fields, _, kind = line.partition(" - ")
    _, _, device, source, point = fields.split(" ")[:5]
    source, point = (_OCTAL.sub(lambda octal: chr(int(octal.group(1), 8)), text) for text in (source, point))
    return _Mount(device, source, point, kind.split(" ")[0])


def _is_seen(mount: _Mount, others: list[_Mount], place: str) -> bool:
    """Whether what is mounted lies in another mount of the same file system as well, as after `mount --bind`."""
    for other in others:
        inside = mount.source == other.source or mount.source.startswith(f"{other.source.rstrip('/')}/")
        if other is mount or mount.kind not in LOCAL or not inside:
            continue
        own_name = f"{other.point.rstrip('/')}/{mount.source.removeprefix(other.source).strip('/')}".rstrip("/")
        reached = place == "/" or f"{own_name}/".startswith(f"{place}/")
        if reached and own_name != mount.point and not (mount.source == other.source and mount.point < other.point):
            return True
    return False


def may_hang(kind: str) -> bool:
    """Whether a file system's server may be gone, so that looking into it never ends: NFS, FUSE, SMB, ..."""
    return kind not in LOCAL | PASSING | PSEUDO | {BIND}
