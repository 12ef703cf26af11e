"""Works out sys.path of an environment, and the code that runs at its start, from files alone: nothing is executed.

https://docs.python.org/3/library/site.html and https://peps.python.org/pep-0829/
"""

import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256

from envparity_agent.collectors.paths import join, normal, relative, within
from envparity_agent.collectors.python.search import Environment, site_directories
from envparity_agent.collectors.reads import Reads
from envparity_agent.errors import Unreadable
from envparity_agent.fingerprint import Reason
from envparity_agent.root import MIB, Root

READS = Reads(content=(r"[^/]*\.(?:pth|start)", r"(?:site|user)customize(?:/__init__)?\.py"))

MAX_PATH = 1000
MAX_PTH = 1000  # files in one site directory

STDLIB = "stdlib"

_IMPORT = ("import ", "import\t")
_CUSTOMIZE = ("sitecustomize", "usercustomize")
# what virtualenv and uv put into every environment that they make, and `creator` tells
_CREATORS = {"_virtualenv.pth": ["import _virtualenv"]}
_START_FILES = (3, 15)


@dataclass(frozen=True)
class PathEntry:
    """One entry of sys.path: its place below the root, and why it is there."""

    place: str
    origin: str  # stdlib, site, user site, system site, or `pth NAME`
    prefix: str  # the prefix that it is told relative to
    names: tuple[str, ...]  # what lies in it; empty for a zip file
    changed: int = 0  # when its list of names did, in ns

    def told(self, sources: Mapping[str, str]) -> str:
        """The entry without its number; in a checkout of an editable distribution it is told from there on."""
        for source, name in sources.items():
            if within(self.place, source):
                return f"{name}:{self.place.removeprefix(source).strip('/') or '.'} ({self.origin})"
        return f"{relative(self.place, self.prefix)} ({self.origin})"

    def is_as_read(self, root: Root) -> bool:
        """Whether it has the names that it had; raises Unreadable.

        By its time, and by the names as well: before Linux 6.13, two changes within a clock tick have one time.
        https://docs.kernel.org/filesystems/multigrain-ts.html
        """
        status = root.stat(self.place)
        if status is None or status.st_mtime_ns != self.changed:
            return False
        return not stat.S_ISDIR(status.st_mode) or tuple(root.names(self.place)) == self.names


@dataclass
class SearchPath:
    """What an interpreter looks into, in order, and what it runs before anything else."""

    entries: list[PathEntry] = field(default_factory=list)
    hooks: dict[str, str] = field(default_factory=dict)  # name -> the lines that execute
    reasons: set[str] = field(default_factory=set)

    def told(self, sources: Mapping[str, str]) -> tuple[str, ...]:
        """The entries, each with its number: as a set, since the order is in the numbers.

        `sources` are the directories of editable distributions with their names: a checkout may lie anywhere.
        """
        return tuple(f"{number:02} {entry.told(sources)}" for number, entry in enumerate(self.entries))

    def is_as_read(self, root: Root) -> bool:
        """Whether no entry got or lost a name since the path was worked out."""
        try:
            return all(entry.is_as_read(root) for entry in self.entries)
        except Unreadable:
            return False

    def told_hooks(self, prefix: str) -> tuple[str, ...]:
        """Each hook with a hash of its lines, in which the environment's own prefix is a constant."""
        return tuple(sorted(f"{name}={_digest(text, prefix)}" for name, text in self.hooks.items()))


def search_path(root: Root, environment: Environment, base: Environment | None, system_site: bool) -> SearchPath:
    """The search path of an environment; `base` is the interpreter that a venv was made from.

    Left out is what is not there, and what only a process knows: PYTHONPATH, the current directory, lib-dynload.
    """
    builder = _Builder(root, environment)
    home = environment if environment.role == "interpreter" else base
    if home:
        builder.add(join(home.prefix, home.library), STDLIB, home.prefix)
    user = environment.role == "site" and environment.prefix.endswith(".local")
    builder.add_sites(environment, "user site" if user else "site")
    if base and system_site:
        builder.add_sites(base, "system site")
    builder.add_customize()
    return builder.found


class _Builder:
    """Adds entry after entry, each directory once, whatever name it goes by."""

    def __init__(self, root: Root, environment: Environment) -> None:
        self._root = root
        self._start_files = _numbers(environment.abi) >= _START_FILES
        self._seen: set[tuple[int, int]] = set()
        self.found = SearchPath()

    def add(self, place: str, origin: str, prefix: str) -> PathEntry | None:
        """Add an entry where it is there and new; returns it."""
        try:
            status = self._root.stat(place)
            if status is None or (status.st_dev, status.st_ino) in self._seen:
                return None
            directory = stat.S_ISDIR(status.st_mode)
            if not directory and not (stat.S_ISREG(status.st_mode) and place.endswith((".egg", ".zip"))):
                return None
            names = tuple(self._root.names(place)) if directory else ()
        except Unreadable as problem:
            self.found.reasons.add(problem.reason)
            return None
        if len(self.found.entries) >= MAX_PATH:
            self.found.reasons.add(Reason.CAP)
            return None
        self._seen.add((status.st_dev, status.st_ino))
        entry = PathEntry(place, origin, prefix, names, status.st_mtime_ns)
        self.found.entries.append(entry)
        return entry

    def add_sites(self, environment: Environment, origin: str) -> None:
        """Add an environment's site directories, each followed by what its .pth files add."""
        try:
            sites = site_directories(self._root, environment)
        except Unreadable as problem:
            self.found.reasons.add(problem.reason)
            return
        for site in sites:
            entry = self.add(site, origin, environment.prefix)
            if entry:
                self._configure(entry)

    def _configure(self, site: PathEntry) -> None:
        files = [name for name in site.names if name.endswith((".pth", ".start")) and not name.startswith(".")]
        if len(files) > MAX_PTH:
            self.found.reasons.add(Reason.CAP)
        for name in files[:MAX_PTH]:
            try:
                lines = _lines(self._root.read(join(site.place, name), MIB))
            except Unreadable as problem:
                self.found.reasons.add(problem.reason)
                continue
            if name.endswith(".start"):
                self._add_hook(name, lines if self._start_files else [])
                continue
            replaced = self._start_files and f"{name.removesuffix('.pth')}.start" in files
            self._add_hook(name, [] if replaced else [line for line in lines if line.startswith(_IMPORT)])
            for line in lines:
                if not line.startswith(_IMPORT):
                    place = normal(line if line.startswith("/") else f"{site.place}/{line}")
                    self.add(place, f"pth {name}", site.prefix)

    def _add_hook(self, name: str, lines: list[str]) -> None:
        if lines and lines != _CREATORS.get(name):
            self.found.hooks[name] = "\n".join((self.found.hooks.get(name, ""), *lines))

    def add_customize(self) -> None:
        """Add the first sitecustomize and usercustomize that would import."""
        for module in _CUSTOMIZE:
            try:
                content = next(self._sources(module), None)
            except Unreadable as problem:
                self.found.reasons.add(problem.reason)
                continue
            if content is not None:
                self.found.hooks[f"{module}.py"] = content.decode("utf-8", "replace")

    def _sources(self, module: str) -> Iterator[bytes]:
        for entry in self.found.entries:
            if module in entry.names:
                package = self._root.read_if_there(join(entry.place, module, "__init__.py"))
                if package is not None:
                    yield package
            if f"{module}.py" in entry.names:
                source = self._root.read_if_there(join(entry.place, f"{module}.py"))
                if source is not None:  # Debian's is a link to /etc, which in a copied tree may lead nowhere
                    yield source


def _lines(content: bytes) -> list[str]:
    """The lines that are neither empty nor a comment."""
    text = content.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace")
    return [line for line in map(str.strip, text.split("\n")) if line and not line.startswith("#")]


def _digest(text: str, prefix: str) -> str:
    same = text.replace(f"/{prefix}", "{prefix}") if prefix else text
    return sha256(same.encode("utf-8", "replace")).hexdigest()[:12]


def _numbers(abi: str) -> tuple[int, ...]:
    return tuple(int(number) for number in abi.rstrip("t").split(".") if number)
