"""The machine below a running system: kernel, processors, memory, and whether it is virtual.

A root directory that is not the running system's has no machine of its own, so there is no section for it.
"""

import platform
import re
from collections.abc import Iterator

from envparity_agent.collectors.interface import Subject
from envparity_agent.collectors.system import cgroups, processor
from envparity_agent.collectors.system.files import Files
from envparity_agent.collectors.system.virtualisation import virtualisation
from envparity_agent.fingerprint import Attributes, Reason, Section, Status, Value
from envparity_agent.root import Root

_RANGES = re.compile(r"\d{1,6}(?:-\d{1,6})?(?:,\d{1,6}(?:-\d{1,6})?)*$")


def collect(subject: Subject) -> Iterator[Section]:
    """Yield `os/machine` for the running system, nothing for another root."""
    if not subject.root.live:
        return
    system = platform.uname()
    items: dict[str, Attributes] = {
        "kernel": {"release": system.release, "build": system.version, "machine": system.machine}
    }
    found, reasons = read(subject.root)
    status = Status.PARTIAL if reasons else Status.OK
    yield Section("os/machine", "machine", 2, {**items, **found}, status, tuple(sorted(reasons)))


def read(root: Root) -> tuple[dict[str, Attributes], set[str]]:
    """What /proc and /sys below a root say of processors, memory and virtualisation, and why some could not be read.

    An attribute that could not be read is left out.
    """
    files = Files(root)
    cpuinfo = files.required("proc/cpuinfo")
    signs = Files(root)  # only what tells the virtualisation can leave it open
    kind = virtualisation(signs, cpuinfo)
    items: dict[str, dict[str, Value]] = {
        "cpu": _cpu(files, cpuinfo),
        "memory": {"total": _memory(files), "given": cgroups.memory(files)},
        "virtualisation": {"kind": kind},
    }
    told = {name: {key: value for key, value in body.items() if value is not None} for name, body in items.items()}
    # a sign that was found needs no other
    return {name: body for name, body in told.items() if body}, files.reasons | (set() if kind else signs.reasons)


def _cpu(files: Files, cpuinfo: str | None) -> dict[str, Value]:
    flags = processor.flags(cpuinfo or "")
    return {
        "cores": _cores(files, cpuinfo),
        "model": processor.model(cpuinfo or ""),
        "features": processor.features(flags) or None,
        "level": processor.level(flags),
        "given": cgroups.processors(files),
    }


def _cores(files: Files, cpuinfo: str | None) -> int | None:
    """How many processors are online: a kernel list such as `0-3,8`, else what cpuinfo lists."""
    online = files.text("sys/devices/system/cpu/online")
    if online is not None and _RANGES.match(online.strip()):
        bounds = (part.partition("-")[::2] for part in online.strip().split(","))
        return sum(int(last or first) - int(first) + 1 for first, last in bounds)
    cores = processor.listed(cpuinfo or "")
    if not cores and cpuinfo is not None:
        files.reasons.add(Reason.INVALID)
    return cores or None


def _memory(files: Files) -> int | None:
    """The memory that the kernel manages, in MiB."""
    meminfo = files.required("proc/meminfo")
    total = re.search(r"^MemTotal:\s*(\d{1,18}) kB", meminfo or "", re.MULTILINE)
    if total is None:
        if meminfo is not None:
            files.reasons.add(Reason.INVALID)
        return None
    return int(total.group(1)) // 1024
