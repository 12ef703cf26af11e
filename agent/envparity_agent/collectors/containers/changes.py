"""What was changed in the writable layer of a container, and which package each change belongs to.

A person wants to read that somebody ran `pip install six` or edited a file of python3-yaml, not a list of paths: a
distribution or an OS package that was put in is one item, and a file that was changed in place tells whose it is.
"""

import csv
import posixpath
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from packaging.utils import canonicalize_name

from envparity_agent.errors import Unreadable
from envparity_agent.fingerprint import Attributes, Reason
from envparity_agent.root import MIB, Root

MAX_RECORD = 8 * MIB
MAX_RECORDS = 128 * MIB  # all that are read to find out whose a file is
_LOOK = 4096  # what one costs at least

ADDED, MODIFIED, DELETED = "added", "modified", "deleted"
_CHANGES = {0: MODIFIED, 1: ADDED, 2: DELETED}
# places that a container writes to in the course of its work, and files that the engine itself puts there
_VOLATILE = (
    "/.dockerenv", "/dev", "/etc/hostname", "/etc/hosts", "/etc/mtab", "/etc/resolv.conf", "/proc", "/root/.cache",
    "/run", "/sys", "/tmp", "/var/cache", "/var/lock", "/var/log", "/var/run", "/var/tmp",  # noqa: S108  # names only
)  # fmt: skip
_SITE = re.compile(r"(.*/(?:site|dist)-packages)/([^/]+)")
_METADATA = re.compile(r"([^/-]{1,200})(?:-([^/-]{1,200})(?:-[^/]*)?)?\.(?:dist-info|egg-info)")
# what a package manager notes for itself: told where no package explains it
_BOOKS = ("/var/lib/dpkg/", "/var/lib/apt/", "/var/lib/rpm/", "/usr/lib/sysimage/rpm/", "/var/lib/dnf/", "/lib/apk/")
_DPKG = re.compile(r"/var/lib/dpkg/info/([^/:]+?)(?::[^/.]+)?\.[a-z0-9]+")

Kinds: TypeAlias = Mapping[str, str]  # path -> added, modified or deleted


class Owners(Protocol):
    """Whose paths are, by the package managers' own lists."""

    @property
    def reasons(self) -> frozenset[str]:
        """Why there may be more owners than are known."""

    def of(self, path: str) -> str | None:
        """The package that has a path: `deb:python3-yaml 6.0-3`; None where no package has it."""


FindOwners: TypeAlias = Callable[[frozenset[str]], Owners]  # of exactly these paths


@dataclass(frozen=True)
class Installed:
    """A package that was put in, replaced or taken out as a whole."""

    change: str
    owner: str


@dataclass(frozen=True)
class Changed:
    """The items of a container's writable layer, and the codes why there may be more to say."""

    items: Mapping[str, Attributes]
    reasons: tuple[str, ...] = ()


def unattributed(changes: Sequence[Mapping[str, Any]] | Reason) -> Changed:
    """The items for the engine's list of changes in a container that is not read; a Reason for none of that."""
    if isinstance(changes, Reason):
        return Changed({}, (changes,))
    return Changed({f"layer:{path}": {"change": change} for path, change in topmost_changes(changes).items()})


def attributed(
    changes: Sequence[Mapping[str, Any]] | Reason, root: Root, find_owners: FindOwners | None = None
) -> Changed:
    """The items for the engine's list of changes in a container that can be read.

    `layer:PATH` is a file or directory, `layer:SITE#NAME` a distribution that was installed, replaced or removed in a
    site directory, `layer:deb:NAME` an OS package.
    """
    if isinstance(changes, Reason):
        return unattributed(changes)
    found = _Attribution(root, _kinds(changes))
    if find_owners is not None:
        found.claim_system(find_owners)
    found.claim_python()
    items: dict[str, Attributes] = {
        f"layer:{name}": {"change": one.change, "owner": one.owner} for name, one in found.installed.items()
    }
    for path, change in _topmost(found.rest()).items():
        owner = found.owners.get(path)
        items[f"layer:{path}"] = {"change": change, "owner": owner} if owner else {"change": change}
    return Changed(items, tuple(sorted(found.reasons)))


def topmost_changes(changes: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Path -> change, each change once at the highest path that says it all."""
    return _topmost(_kinds(changes))


def _kinds(changes: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    kinds = {str(change["Path"]): int(change["Kind"]) for change in changes}
    return {path: _CHANGES.get(kind, f"kind-{kind}") for path, kind in kinds.items()}


def _topmost(kinds: Kinds) -> dict[str, str]:
    """The engine lists every directory above a change as modified and everything below an added one as added."""
    parents = {path.rpartition("/")[0] for path in kinds}
    found = {}
    for path, kind in kinds.items():
        inside_added = kinds.get(path.rpartition("/")[0]) == ADDED == kind
        only_above = kind == MODIFIED and path in parents
        if not inside_added and not only_above and not _is_volatile(path):
            found[path] = kind
    return found


def is_compiled(path: str) -> bool:
    """Whether a file or directory is a cache of the interpreter's."""
    return path.endswith((".pyc", "/__pycache__"))


def _is_volatile(path: str) -> bool:
    return is_compiled(path) or any(path == place or path.startswith(f"{place}/") for place in _VOLATILE)


def _leaves(kinds: Kinds) -> dict[str, str]:
    """The changes that are not told by others below them, without what changes in the course of work."""
    lasting = {path: kind for path, kind in kinds.items() if not _is_volatile(path)}
    above = {folder for path in lasting for folder in _folders(path)}
    parents = {path.rpartition("/")[0] for path in kinds}
    return {
        path: kind for path, kind in lasting.items() if path not in above and not (kind == MODIFIED and path in parents)
    }


def _folders(path: str) -> Iterator[str]:
    """The directories above a path, the root left out."""
    while path := path.rpartition("/")[0]:
        yield path


def _change(kinds: Iterable[str]) -> str:
    """The one change that several amount to."""
    found = set(kinds)
    return found.pop() if len(found) == 1 else MODIFIED


class _Attribution:
    """Whose the changed paths are, found out step by step."""

    def __init__(self, root: Root, kinds: Kinds) -> None:
        self._root = root
        self._kinds = kinds
        self._leaves = _leaves(kinds)
        self._folded: set[str] = set()  # leaves that an installed package explains
        self._unread = MAX_RECORDS
        self.installed: dict[str, Installed] = {}  # by the name of its item
        self.owners: dict[str, str] = {}  # leaf that was changed in place -> whose it is
        self.reasons: set[str] = set()

    def rest(self) -> Kinds:
        """The changes that no installed package explains, with the directories above them."""
        left = self._leaves.keys() - self._folded
        needed = {folder for path in left for folder in _folders(path)} | left
        return {path: kind for path, kind in self._kinds.items() if path in needed}

    def claim_system(self, find_owners: FindOwners) -> None:
        """OS packages: one that came or was replaced as a whole is one item; a file that was edited has an owner."""
        owners = find_owners(frozenset(self._leaves))
        self.reasons |= owners.reasons
        notes: dict[str, list[str]] = {}  # name -> what dpkg notes of the package
        files: dict[str, list[str]] = {}
        for path in self._leaves:
            if found := _DPKG.fullmatch(path):
                notes.setdefault(f"deb:{found[1]}", []).append(path)
            elif owner := owners.of(path):
                files.setdefault(owner, []).append(path)
        for owner, paths in files.items():
            name = owner.partition(" ")[0]
            noted = notes.pop(name, [])
            if noted or self._change(paths) == ADDED:
                self._install(name, owner, [*paths, *noted])
            else:
                self.owners |= dict.fromkeys(paths, owner)
        for name, noted in notes.items():  # the list of its files is gone with it
            self._install(name, name, noted)
        if self.installed:
            self._folded.update(path for path in self._leaves if path.startswith(_BOOKS))

    def claim_python(self) -> None:
        """Distributions in site directories of the image; a site directory that was added is one change as it is."""
        sites: dict[str, dict[str, list[str]]] = {}  # site directory -> name in it -> changed leaves
        for path in self._leaves.keys() - self._folded - self.owners.keys():
            found = _SITE.match(path)
            if found and self._kinds.get(found[1]) != ADDED:
                sites.setdefault(found[1], {}).setdefault(found[2], []).append(path)
        for site, names in sorted(sites.items()):
            by_name: dict[str, list[str]] = {}
            for top in names:
                by_name.setdefault(canonicalize_name(top.removesuffix(".py")), []).append(top)
            for name, entries in _distributions(names).items():
                self._claim_distribution(site, name, entries, names, by_name.get(name, []))
            changed = {path for paths in names.values() for path in paths if self._leaves[path] != ADDED}
            self._claim_edited(site, changed - self._folded, frozenset(names))

    def _claim_distribution(
        self, site: str, name: str, entries: list[str], names: Mapping[str, list[str]], namesakes: list[str]
    ) -> None:
        """One whose metadata changed: it was installed, replaced or removed, with the files of its RECORD."""
        paths = [path for entry in entries for path in names[entry]]
        left = [entry for entry in entries if self._kinds.get(f"{site}/{entry}") != DELETED]
        recorded = {path for entry in left for path in self._recorded(site, entry)}
        paths += self._leaves.keys() & (recorded | {folder for path in recorded for folder in _folders(path)})
        # files that the version before had and this one has not
        tops = {path.removeprefix(f"{site}/").partition("/")[0] for path in recorded if path.startswith(f"{site}/")}
        for top in {*tops, *namesakes}:
            paths += (path for path in names.get(top, ()) if self._leaves[path] == DELETED or not recorded)
        self._install(f"{site}#{name}", _owner((left or entries)[-1]), paths)

    def _claim_edited(self, site: str, changed: set[str], names: frozenset[str]) -> None:
        """Files of distributions whose metadata did not change: somebody edited or removed them in place."""
        if not changed:
            return
        try:
            entries = [entry for entry in self._root.names(site) if entry not in names and _METADATA.fullmatch(entry)]
        except Unreadable as problem:
            self.reasons.add(problem.reason)
            return
        for entry in entries:
            if not changed:
                return
            recorded = self._recorded(site, entry)
            for path in changed & (recorded | {folder for one in recorded for folder in _folders(one)}):
                self.owners[path] = _owner(entry)
            changed -= self.owners.keys()

    def _recorded(self, site: str, entry: str) -> set[str]:
        """The absolute paths of the files in a RECORD, none where it has none that can be read."""
        if self._unread <= 0:
            self.reasons.add(Reason.CAP)
            return set()
        self._unread -= _LOOK
        try:
            content = self._root.read_if_there(f"{site}/{entry}/RECORD", MAX_RECORD) or b""
            self._unread -= len(content)
            rows = list(csv.reader(content.decode("utf-8", "surrogateescape").splitlines()))
        except (Unreadable, csv.Error):
            return set()  # what the reader of the environment says
        return {posixpath.normpath(posixpath.join(site, row[0])) for row in rows if row}

    def _install(self, item: str, owner: str, paths: list[str]) -> None:
        self.installed[item] = Installed(self._change(paths), owner)
        self._folded.update(paths)

    def _change(self, paths: Iterable[str]) -> str:
        """The one change that those of several paths amount to."""
        found = {self._kinds[path] for path in paths}
        return found.pop() if len(found) == 1 else MODIFIED


def _distributions(names: Iterable[str]) -> dict[str, list[str]]:
    """Normalised name -> its metadata among the names in a site directory."""
    found: dict[str, list[str]] = {}
    for name in sorted(names):
        if metadata := _METADATA.fullmatch(name):
            found.setdefault(canonicalize_name(metadata[1]), []).append(name)
    return found


def _owner(entry: str) -> str:
    """Whose metadata an entry of a site directory is: `python:six 1.17.0`."""
    name, version = re.split(r"\.(?:dist|egg)-info$", entry)[0].partition("-")[::2]
    return f"python:{canonicalize_name(name)} {version.partition('-')[0]}".rstrip()
