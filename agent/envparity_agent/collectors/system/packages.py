"""The packages of the operating system, from the databases of the package managers that a root has."""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator
from itertools import groupby
from typing import NamedTuple

from envparity_agent.collectors.interface import Subject
from envparity_agent.collectors.memory import Memory
from envparity_agent.collectors.reads import Reads
from envparity_agent.collectors.system import apk, dpkg, history, rpm
from envparity_agent.collectors.system.database import Database, Files, Package, Wanted
from envparity_agent.errors import Unreadable
from envparity_agent.fingerprint import Attributes, Reason, Section, Status
from envparity_agent.root import Root

READS = Reads(
    content=(
        r"var/lib/dpkg/(?:status|status\.d/[^/]*|updates/\d+|info/[^/]*\.(?:list|md5sums))",
        r"lib/apk/db/installed",
        r"(?:var/lib|usr/lib/sysimage|usr/share)/rpm/(?:rpmdb\.sqlite(?:-wal|-journal)?|Packages(?:\.db)?)",
        r"var/log/(?:apt/history|dpkg)\.log",
        r"var/lib/dnf/history\.sqlite",
    ),
)

_TRIES = 3  # to read a database at a moment at which nobody writes to it


class Format(NamedTuple):
    """The functions of one package manager's reader, as `database.py` describes them."""

    stamps: Callable[[Root], Hashable]
    read: Callable[[Root], Database | None]
    files: Callable[[Root, Wanted], Files]


FORMATS = {
    "deb": Format(dpkg.stamps, dpkg.read, dpkg.files),
    "rpm": Format(rpm.stamps, rpm.read, rpm.files),
    "apk": Format(apk.stamps, apk.read, apk.files),
}


def collect(subject: Subject) -> Iterator[Section]:
    """Yield `os-packages`: of all databases that are there, or `absent(unsupported)` where there is none."""
    databases: list[Database] = []
    for manager, reader in FORMATS.items():
        try:
            found = remembered(subject.root, subject.memory, manager, reader)
        except Unreadable as problem:
            found = Database((), frozenset({problem.reason}))
        databases += [found] if found is not None else []
    packages = [package for database in databases for package in database.packages]
    reasons = {reason for database in databases for reason in database.reasons}
    if databases and not packages and not reasons:
        reasons = {Reason.INVALID}  # no system has no packages: an empty database is only right beside a full one
    yield Section(
        "os-packages",
        "os-packages",
        2,
        items(packages),
        status=_status(databases, packages, reasons),
        reasons=tuple(sorted(reasons)) if databases else (Reason.UNSUPPORTED,),
        observed=history.recent(subject.root, subject.memory),
    )


def remembered(root: Root, memory: Memory, manager: str, reader: Format) -> Database | None:
    """A database as it was read last, for as long as it does not change; raises Unreadable."""
    stamps = reader.stamps(root)
    return memory.recall(("os-packages", manager, stamps), stamps, lambda: _steady(root, reader, stamps))


def _steady(root: Root, reader: Format, before: Hashable) -> Database | None:
    """Read a database that nobody changes meanwhile; where that does not succeed, it is not complete."""
    for _ in range(_TRIES):
        found = reader.read(root)
        after = reader.stamps(root)
        if after == before:
            return found
        before = after
    return found and Database(found.packages, found.reasons | {Reason.VANISHED})


def _status(databases: list[Database], packages: list[Package], reasons: Iterable[str]) -> Status:
    if not databases:
        return Status.ABSENT
    if not reasons:
        return Status.OK
    return Status.PARTIAL if packages else Status.FAILED


def items(packages: Iterable[Package]) -> dict[str, Attributes]:
    """Packages by name, those of an architecture that the package has beside the system's own by `NAME:ARCHITECTURE`.

    The system's own is that of most packages. So a package keeps its name where another architecture of it is added.
    Of several versions, as a system has of its kernel, the last installed has the name, the others `NAME#VERSION`.
    What two managers call the same is `MANAGER:NAME` for the second one.
    """
    found: dict[str, Attributes] = {}
    for manager, group in groupby(packages, key=lambda one: one.manager):
        installed = {(one.name, one.architecture, one.version): one for one in group}.values()
        common = Counter(one.architecture for one in installed)
        plain: dict[str, str] = {}  # name -> the architecture that goes without saying
        for one in sorted(installed, key=lambda one: (common[one.architecture], one.architecture)):
            plain[one.name] = one.architecture
        own: dict[str, Attributes] = {}
        for one in reversed(installed):
            key = one.name if plain[one.name] == one.architecture else f"{one.name}:{one.architecture}"
            own[key if key not in own else f"{key}#{one.version}"] = _attributes(one)
        found |= {name if name not in found else f"{manager}:{name}": body for name, body in own.items()}
    return found


def _attributes(package: Package) -> Attributes:
    optional = {"source": package.source, "state": package.state, "content": package.content}
    return {
        "version": package.version,
        "architecture": package.architecture,
        "manager": package.manager,
        **{name: value for name, value in optional.items() if value},
    }
