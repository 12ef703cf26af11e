"""Finds every Python environment below a root: venvs, interpreters, and site directories that belong to neither.

The walk stays on file systems with local storage, follows no symlink, and leaves out the storage of container engines:
what lies there belongs to containers and images, not to the host. What it leaves out, it says.
"""

import os
import re
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from envparity_agent.collectors.interface import Subject
from envparity_agent.collectors.python.venv import read_configuration
from envparity_agent.errors import Unreadable
from envparity_agent.fingerprint import Reason
from envparity_agent.root import MIB, Root

BUDGET_SECONDS = 60.0

# lib/python3.11, lib/python3.13t (free-threaded), lib/pypy3.10
LIBRARY = re.compile(r"^(?:python|pypy)(\d+\.\d+t?)$")
_VERSIONED = re.compile(r"^(?:python|pypy)\d")  # Debian shares lib/python3/dist-packages between versions
SITE_NAMES = ("site-packages", "dist-packages")

_LOCAL_FILE_SYSTEMS = frozenset({"ext2", "ext3", "ext4", "xfs", "btrfs", "zfs", "f2fs", "bcachefs", "jfs"})
# what is gone after a restart, or comes as one image
_PASSING_FILE_SYSTEMS = frozenset({"overlay", "ramfs", "squashfs", "tmpfs"})
# the kernel's own, with no files of anybody
_PSEUDO_FILE_SYSTEMS = frozenset({
    "autofs", "binfmt_misc", "bpf", "cgroup", "cgroup2", "configfs", "debugfs", "devpts", "devtmpfs", "efivarfs",
    "fusectl", "hugetlbfs", "mqueue", "nsfs", "proc", "pstore", "securityfs", "sysfs", "tracefs",
})  # fmt: skip
# what the data directories of Docker, containers/storage (Podman) and containerd hold, wherever they lie
_ENGINE_STORAGE = (
    frozenset({"containers", "image", "network", "volumes"}),
    frozenset({"overlay-containers", "overlay-images", "overlay-layers"}),
    frozenset({"io.containerd.content.v1.content", "io.containerd.metadata.v1.bolt"}),
)


@dataclass(frozen=True)
class Environment:
    """One Python environment: a prefix and the library directory of one Python version in it.

    `role` is `venv` (has a pyvenv.cfg), `interpreter` (has a standard library) or `site` (a site directory alone,
    such as a user's).
    """

    prefix: str
    library: str  # relative to the prefix: lib/python3.11; empty for a venv that has none
    role: str

    @property
    def abi(self) -> str:
        """The version in the library directory's name: 3.11, 3.13t, or empty."""
        return _abi(self.library)

    @property
    def name(self) -> str:
        """The path that names it: a venv's own, else the library directory's."""
        return self.prefix if self.role == "venv" else join(self.prefix, self.library)


@dataclass
class Found:
    """What a search has found so far, and what it could not look into."""

    environments: list[Environment] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)
    reasons: set[str] = field(default_factory=set)


def join(*parts: str) -> str:
    """Join paths that are relative to a root; the root itself is the empty path."""
    return "/".join(part for part in parts if part)


def search(subject: Subject, budget: float = BUDGET_SECONDS) -> Found:
    """Find every environment below the subject's root, in the order of their names."""
    found = Found()
    environments: set[Environment] = set()
    sites: set[str] = set()
    deadline = time.monotonic() + budget
    for path, files in _walk(subject.root, found):
        if "pyvenv.cfg" in files:
            environments.add(venv(subject.root, path))
        parent, _, name = path.rpartition("/")
        if LIBRARY.match(name) and "os.py" in files:
            prefix, _, library = parent.rpartition("/")
            environments.add(Environment(prefix, join(library, name), "interpreter"))
        if name in SITE_NAMES and _VERSIONED.match(parent.rpartition("/")[2]):
            sites.add(path)
        if time.monotonic() > deadline:
            found.reasons.add(Reason.CAP)
            break
    claimed: set[str] = set()
    for one in environments:
        try:
            claimed.update(site_directories(subject.root, one))
        except Unreadable as problem:
            found.reasons.add(problem.reason)
    environments.update(_site(path) for path in sites - claimed)
    found.environments = sorted(_without_venv_libraries(environments), key=lambda one: (one.name, one.library))
    return found


def venv(root: Root, prefix: str) -> Environment:
    """The environment of a directory with a pyvenv.cfg; of several library directories, the one of its version."""
    try:
        configuration = read_configuration(root, prefix)
        wanted = configuration.short_version if configuration else ""
        found = list(_libraries(root, prefix))
    except Unreadable:  # what reads its packages says why
        return Environment(prefix, "", "venv")
    if not found:
        return Environment(prefix, "", "venv")
    best = max(found, key=lambda library: (_abi(library).rstrip("t") == wanted, _numbers(_abi(library))))
    return Environment(prefix, best, "venv")


def interpreters(root: Root, prefix: str) -> Iterator[Environment]:
    """The interpreters that have their standard library below a prefix; raises Unreadable."""
    for library in _libraries(root, prefix):
        if root.is_file(join(prefix, library, "os.py")):
            yield Environment(prefix, library, "interpreter")


def _libraries(root: Root, prefix: str) -> Iterator[str]:
    for folder in ("lib", "lib64"):
        for name in root.names(join(prefix, folder)):
            if LIBRARY.match(name):
                yield f"{folder}/{name}"


def _abi(library: str) -> str:
    """The version in a library directory's name: 3.11, 3.13t, or empty."""
    found = next(filter(None, map(LIBRARY.match, library.split("/"))), None)
    return found.group(1) if found else ""


def _numbers(abi: str) -> tuple[int, ...]:
    return tuple(int(number) for number in abi.rstrip("t").split(".") if number)


def site_directories(root: Root, environment: Environment) -> list[str]:
    """The site directories of one environment that exist, in the order of sys.path, each once."""
    prefix, library = environment.prefix, environment.library
    name = library.rpartition("/")[2]
    if environment.role == "site":
        return [join(prefix, library)]
    candidates = [join(prefix, folder, name, "site-packages") for folder in ("lib", "lib64")] if name else []
    if environment.role == "interpreter":
        candidates.append(join(prefix, library, "dist-packages"))
        if f"/{prefix}".endswith("/usr"):  # Debian's: https://wiki.debian.org/Python#Deviations_from_upstream
            candidates = [
                join(prefix, "local/lib", name, "dist-packages"),
                join(prefix, f"lib/python{environment.abi[:1]}", "dist-packages"),
                *candidates,
            ]
    return list(_distinct(root, candidates))


def _distinct(root: Root, paths: list[str]) -> Iterator[str]:
    """Leave out what is not a directory, and a directory seen before under another name (lib64 -> lib)."""
    seen: set[tuple[int, int]] = set()
    for path in paths:
        status = root.stat(path)
        if status and stat.S_ISDIR(status.st_mode) and (status.st_dev, status.st_ino) not in seen:
            seen.add((status.st_dev, status.st_ino))
            yield path


def _site(path: str) -> Environment:
    parts = path.split("/")
    return Environment("/".join(parts[:-3]), "/".join(parts[-3:]), "site")  # PREFIX/lib/pythonX.Y/site-packages


def _without_venv_libraries(environments: set[Environment]) -> set[Environment]:
    """Virtualenv before version 20 copied the standard library into the venv: that is no interpreter of its own."""
    venvs = {one.prefix for one in environments if one.role == "venv"}
    return {one for one in environments if one.role == "venv" or one.prefix not in venvs}


def _walk(root: Root, found: Found) -> Iterator[tuple[str, set[str]]]:
    """Every directory below the root with the names of its files, parents first, in sorted order."""
    mounts = _mounts(root)
    seen: set[tuple[int, int]] = set()
    pending = [""]
    while pending:
        path = pending.pop()
        kind = mounts.get(path, "")
        if kind and kind not in _LOCAL_FILE_SYSTEMS:  # not opened: a file system whose server is gone would hang
            if kind not in _PSEUDO_FILE_SYSTEMS:
                found.skipped[path] = f"file system of type {kind}"
            if kind not in _PSEUDO_FILE_SYSTEMS | _PASSING_FILE_SYSTEMS:
                found.reasons.add(Reason.UNSUPPORTED)  # environments may be there, as on NFS
            continue
        try:
            with root.open(path, os.O_RDONLY | os.O_DIRECTORY) as descriptor:
                status = os.fstat(descriptor)
                if (status.st_dev, status.st_ino) in seen:
                    continue  # a bind mount of what was seen under another name
                seen.add((status.st_dev, status.st_ino))
                directories, files = _entries(descriptor)
        except Unreadable as problem:
            if problem.reason != Reason.VANISHED:  # what is gone is not there
                found.reasons.add(problem.reason)
                found.skipped[path] = problem.reason
            continue
        if any(storage <= set(directories) for storage in _ENGINE_STORAGE):
            found.skipped[path] = "storage of a container engine"
            continue
        yield path, files
        pending.extend(join(path, name) for name in reversed(directories))


def _entries(descriptor: int) -> tuple[list[str], set[str]]:
    directories: list[str] = []
    files: set[str] = set()
    with os.scandir(descriptor) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                directories.append(entry.name)
            else:
                files.add(entry.name)
    return sorted(directories), files


def _mounts(root: Root) -> dict[str, str]:
    """Path below the root -> type of the file system that is mounted there, the root itself left out.

    https://man7.org/linux/man-pages/man5/proc_pid_mountinfo.5.html
    """
    process = re.match(r"^(/proc/\d+)/root/?$", root.path)  # another process's root has mounts of its own
    table = f"{process.group(1)}/mountinfo" if process else "/proc/self/mountinfo"
    top = "/" if process else os.path.realpath(root.path)
    try:
        with Root("/") as system:
            lines = system.read(table, cap=16 * MIB).decode("utf-8", "surrogateescape").splitlines()
    except Unreadable:
        return {}  # no /proc: the walk crosses whatever it meets
    found: dict[str, str] = {}
    for line in lines:
        mount, _, source = line.partition(" - ")
        place = re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal.group(1), 8)), mount.split(" ")[4])
        if place != top and (top == "/" or place.startswith(f"{top}/")):
            found[place.removeprefix(top).strip("/")] = source.split(" ")[0]
    return found
