"""Decides which of the distributions found imports: it has its plain name, the others are told by name and place."""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from packaging.version import InvalidVersion, Version

from envparity_agent.collectors.interface import Subject
from envparity_agent.collectors.paths import join, relative, within
from envparity_agent.collectors.python.distributions import MAX_ENTRIES, Distribution, read_entry
from envparity_agent.collectors.python.record import MAX_RECORD, rows
from envparity_agent.collectors.python.syspath import STDLIB, PathEntry
from envparity_agent.errors import Unreadable
from envparity_agent.fingerprint import Reason
from envparity_agent.root import Root

MAX_FITTED = 2000  # rows of the RECORDs of one name that are held against the disk

_ASIDE = "-~.=%0123456789"  # what a name that was moved aside may begin with
_MAX_CUTS = 5
_MODULE = re.compile(r"^([A-Za-z_]\w*)(?:\.py|\.(?:[\w-]+\.)*so|/.*)?$", re.ASCII | re.DOTALL)


def read_all(subject: Subject, entries: Sequence[PathEntry], prefix: str, reasons: set[str]) -> dict[str, Distribution]:
    """Item name -> distribution, over the entries of sys.path in order; adds to `reasons` why something is left out.

    The first that imports has its normalised name; what it shadows, or what cannot be imported, is `name#place`,
    the place relative to the environment's prefix.
    """
    places = {entry.place for entry in entries}
    found: list[tuple[PathEntry, list[Distribution]]] = []
    for entry in entries:
        if entry.origin == STDLIB:
            continue
        there: list[Distribution] = []
        if _is_being_replaced(entry.names):
            reasons.add(Reason.VANISHED)
        try:
            there.extend(read_entry(subject, entry.place, entry.names, reasons))
        except Unreadable as problem:
            reasons.add(problem.reason)
        # an egg that a .pth file names is an entry of its own
        found.append((entry, [one for one in there if one.place not in places or one.place == entry.place]))
    editable = [one for _, there in found for one in there if one.source is not None]
    return _named(subject.root, entries, prefix, [(entry, _without_sources(there, editable)) for entry, there in found])


def _is_being_replaced(names: Sequence[str]) -> bool:
    """Whether an installer moved something aside, and nothing has taken its place yet.

    pip renames what it is about to replace or remove to a name of the same length that begins with `~`:
    https://github.com/pypa/pip/blob/main/src/pip/_internal/utils/temp_dir.py (AdjacentTempDirectory).
    """
    named = {_unversioned(name) for name in names if name.startswith("~")}
    aside = {(form, len(stem) - len(stem.lstrip(_ASIDE)), stem.lstrip(_ASIDE)) for form, stem in named}
    cuts = {cut for _, cut, _ in aside}
    if len(cuts) > _MAX_CUTS:
        return True
    others = {_unversioned(name) for name in names if not name.startswith("~")} if aside else set()
    return not aside <= {(form, cut, stem[cut:]) for form, stem in others for cut in cuts}


def _unversioned(name: str) -> tuple[str, str]:
    """The form of metadata, and whose it is; of any other name none, and the name."""
    stem, _, form = name.rpartition(".")
    if form not in ("dist-info", "egg-info"):
        return "", name
    rest = stem.lstrip(_ASIDE)
    return form, stem.removesuffix(rest) + rest.partition("-")[0]


def _without_sources(there: list[Distribution], editable: list[Distribution]) -> list[Distribution]:
    """Leave out the .egg-info in the source tree of an editable installation: that is the same distribution again."""
    sources = {(one.name, one.source) for one in editable if one.source is not None}
    return [
        one
        for one in there
        if one.attributes["form"] != "egg-info"
        or not any(one.name == name and within(one.site, source) for name, source in sources)
    ]


def _named(
    root: Root, entries: Sequence[PathEntry], prefix: str, found: list[tuple[PathEntry, list[Distribution]]]
) -> dict[str, Distribution]:
    items: dict[str, Distribution] = {}
    earlier = _Earlier(root)
    of_entry = {entry.place: there for entry, there in found}
    for entry in entries:
        there = of_entry.get(entry.place, [])
        by_name: dict[str, list[Distribution]] = {}
        for distribution in there:
            by_name.setdefault(distribution.name, []).append(distribution)
        hidden = earlier.hidden(entry) if there else frozenset()
        earlier.add(entry)
        for name, candidates in by_name.items():
            imported = candidates[0] if len(candidates) == 1 else first_matching(root, candidates)
            for distribution in candidates:
                plain = (
                    bool(name)
                    and distribution is imported
                    and name not in items
                    and not (distribution.attributes["form"] == "egg" and distribution.place != entry.place)
                    and not _is_hidden(root, distribution, hidden)
                )
                place = relative(distribution.place, prefix)
                items[name if plain else f"{name or 'invalid'}#{place}"] = distribution
    return items


def first_matching(root: Root, candidates: list[Distribution]) -> Distribution:
    """Of several distributions of one name in one directory, the one whose RECORD fits the files on disk.

    A stale dist-info beside the current one is what importlib.metadata may report, but never what is imported.
    """
    rows_of_each = max(MAX_FITTED // len(candidates), 1)
    return max(candidates, key=lambda one: (_fit(root, one, rows_of_each), _ordered(one.version), one.entry))


def _ordered(version: str) -> Version:
    try:
        return Version(version)
    except (InvalidVersion, ValueError):  # ValueError: more digits than int() takes
        return Version("0")


def _fit(root: Root, distribution: Distribution, most: int) -> int:
    """How many files are there with the size that RECORD says, less those that are not."""
    if distribution.record is None:
        return -MAX_RECORD
    score = 0
    try:
        for row in islice(rows(root.read(distribution.record, MAX_RECORD)), most):
            status = root.stat(join(distribution.site, row.path)) if row.size is not None else None
            if row.size is not None:
                score += 1 if status and status.st_size == row.size else -1
    except (Unreadable, csv.Error):
        return -MAX_RECORD
    return score


class _Earlier:
    """The modules of the entries of sys.path so far; each directory is looked into once, however many entries ask."""

    def __init__(self, root: Root) -> None:
        self._root = root
        self._hiding: set[str] = set()
        self._directories: dict[str, list[str]] = {}  # name -> the entries with one, which may be no package

    def add(self, entry: PathEntry) -> None:
        """Go on by one entry."""
        for file, name in _modules(entry.names):
            if file != name:
                self._hiding.add(name)
            elif name not in self._hiding:
                self._directories.setdefault(name, []).append(entry.place)

    def hidden(self, entry: PathEntry) -> frozenset[str]:
        """The modules of an entry that one of those before it has as well, so that they do not import from here."""
        return frozenset(name for _, name in _modules(entry.names) if self._hides(name))

    def _hides(self, name: str) -> bool:
        if name not in self._hiding and any(
            _is_package(self._root, place, name) for place in self._directories.pop(name, ())
        ):
            self._hiding.add(name)
        return name in self._hiding


def _modules(names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """The names that a module or a package may have, each with the module's."""
    for file in islice(names, MAX_ENTRIES):  # of the others nothing is read
        match = _MODULE.match(file)
        if match and file != "__pycache__":
            yield file, match.group(1)


def _is_package(root: Root, place: str, name: str) -> bool:
    """Whether a directory is a package of its own: one without __init__.py shares its name with later entries."""
    try:
        return root.is_file(join(place, name, "__init__.py"))
    except Unreadable:
        return False


def _is_hidden(root: Root, distribution: Distribution, hidden: frozenset[str]) -> bool:
    """Whether nothing of a distribution imports, since all of its modules are hidden by those of earlier entries."""
    if not hidden or distribution.record is None:
        return False
    try:
        paths = [row.path for row in rows(root.read(distribution.record, MAX_RECORD))]
    except (Unreadable, csv.Error):
        return False
    modules = {match.group(1) for match in map(_MODULE.match, paths) if match and _is_code(match.string)}
    return bool(modules) and modules <= hidden


def _is_code(path: str) -> bool:
    return path.endswith((".py", ".so"))
