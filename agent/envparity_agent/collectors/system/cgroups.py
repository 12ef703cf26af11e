"""What control groups grant to a system as a whole: the limits of the group at the top of its own /sys/fs/cgroup.

In a container that is the container's own group. On a host it is the root group, which has no limits.
https://docs.kernel.org/admin-guide/cgroup-v2.html and https://docs.kernel.org/scheduler/sched-bwc.html (version 1)
"""

from envparity_agent.collectors.system.files import Files
from envparity_agent.fingerprint import Reason
from envparity_agent.root import MIB

_TOP = "sys/fs/cgroup"
_UNLIMITED = 1 << 60  # version 1 writes "no limit" as the largest multiple of a page: no machine has so much memory


def processors(files: Files) -> int | None:
    """Processors in thousandths; None where there is no limit, or where it cannot be read: `files` has the reason."""
    both = files.text(f"{_TOP}/cpu.max")
    if both is not None:
        quota, _, period = both.strip().partition(" ")
        if quota == "max":
            return None
    else:
        found = files.text(f"{_TOP}/cpu/cpu.cfs_quota_us")
        if found is None:
            return None
        quota, period = found, files.required(f"{_TOP}/cpu/cpu.cfs_period_us") or ""
        if quota.strip() == "-1":
            return None
    numbers = _number(files, quota), _number(files, period)
    if numbers[0] is None or not numbers[1]:
        return None
    return round(numbers[0] * 1000 / numbers[1])


def memory(files: Files) -> int | None:
    """Memory in MiB; None where there is no limit, or where it cannot be read: `files` has the reason."""
    found = files.text(f"{_TOP}/memory.max")
    if found is None:
        found = files.text(f"{_TOP}/memory/memory.limit_in_bytes")
    if found is None or found.strip() == "max":
        return None
    size = _number(files, found)
    return None if size is None or size >= _UNLIMITED else size // MIB


def _number(files: Files, text: str) -> int | None:
    digits = text.strip()
    if digits.isascii() and digits.isdigit() and len(digits) < 20:
        return int(digits)
    files.reasons.add(Reason.INVALID)
    return None
