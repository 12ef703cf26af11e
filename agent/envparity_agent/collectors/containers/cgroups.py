"""Containers of runtimes that nobody here can ask, seen by the control groups of their processes."""

import re
from collections.abc import Iterator, Set

from envparity_agent.errors import Unreadable
from envparity_agent.fingerprint import Reason
from envparity_agent.root import Root

_ID = r"[0-9a-f]{64}"
# runtime -> the control group that it makes for a container, by systemd's driver and by the cgroupfs driver
_GROUPS = (
    ("containerd", re.compile(rf"(?:^|:)(?:cri-containerd|nerdctl)[-:]({_ID})(?:\.scope)?$")),
    ("cri-o", re.compile(rf"^crio-({_ID})(?:\.scope)?$")),
    ("docker", re.compile(rf"^docker-({_ID})\.scope$")),
    ("podman", re.compile(rf"^libpod-(?:payload-)?({_ID})(?:\.scope)?$")),
    ("lxc", re.compile(r"^lxc\.payload\.(.+)$")),
    ("nspawn", re.compile(r"^systemd-nspawn@(.+)\.service$")),
)
_BARE = re.compile(rf"^{_ID}$")
_PARENTS = (("docker", "docker"), ("kubernetes", "kubepods"), ("lxc", "lxc"), ("containerd", "default"))
_CAP = 64 * 1024
MAX_PROCESSES = 100_000


def running(root: Root) -> tuple[dict[str, str], set[str]]:
    """Container id -> runtime, of every process below `proc` that runs in a container, and why there may be more.

    The container that the whole root is itself does not count.
    """
    try:
        processes = [name for name in root.names("proc") if name.isdecimal()]
    except Unreadable as problem:
        return {}, {problem.reason}
    found: dict[str, str] = {}
    seen: set[bytes] = set()
    for process in processes[:MAX_PROCESSES]:
        try:
            groups = root.read(f"proc/{process}/cgroup", _CAP)
        except Unreadable:
            continue  # it has ended; what stays has its number in the next survey
        if groups not in seen:
            seen.add(groups)
            found.update(containers_of(groups.decode("utf-8", "replace")))
    for own in _containers_at(root, "proc/1/cgroup"):
        found.pop(own, None)
    return found, {Reason.CAP} if len(processes) > MAX_PROCESSES else set()


def _containers_at(root: Root, path: str) -> Set[str]:
    try:
        return dict(containers_of(root.read(path, _CAP).decode("utf-8", "replace"))).keys()
    except Unreadable:
        return set()


def containers_of(groups: str) -> Iterator[tuple[str, str]]:
    """The innermost container of each line of /proc/PID/cgroup, with its runtime.

    https://man7.org/linux/man-pages/man7/cgroups.7.html: `hierarchy:controllers:path`.
    """
    for line in groups.split("\n"):
        parts = line.split(":", 2)[-1].split("/")
        for position in range(len(parts) - 1, 0, -1):
            container = _container(parts, position)
            if container:
                yield container
                break


def _container(parts: list[str], position: int) -> tuple[str, str] | None:
    name = parts[position]
    for runtime, pattern in _GROUPS:
        found = pattern.search(name)
        if found:
            return found.group(1), runtime
    parent = parts[position - 1]
    if parent == "lxc":
        return (name, "lxc") if name else None
    if not _BARE.match(name):
        return None
    above = parts[:position]
    return name, next((runtime for runtime, start in _PARENTS if any(one.startswith(start) for one in above)), "other")
