"""Finds every Python environment below a root: venvs, interpreters, and site directories that belong to neither.

First where a person or custom says that one is, and where programs run from; then by a walk over everything.
"""

import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field

from envparity_agent.collectors.configuration.services import executables
from envparity_agent.collectors.interface import Subject
from envparity_agent.collectors.paths import join
from envparity_agent.collectors.python.layouts import places
from envparity_agent.collectors.python.processes import running
from envparity_agent.collectors.python.venv import read_configuration
from envparity_agent.collectors.python.walk import LIBRARY, SITE_NAMES, Walk, walk
from envparity_agent.collectors.reads import SITES, Reads
from envparity_agent.errors import Unreadable
from envparity_agent.fingerprint import Attributes
from envparity_agent.root import Root

READS = Reads(presence=(r"os\.py", rf"{SITES}.*"))

FIRST_BUDGET = 60.0  # seconds for the first pass of the walk over a root, of which nothing is known yet
LATER_BUDGET = 0.1  # seconds in each survey afterwards: what is known is read without it
_LATER_INSIDE = 0.01  # the same in a container

# beside or below the directory of an application
_PROJECT_VENVS = ("", ".venv", "venv", "env")


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
    """What a search has found, what it could not look into, and which environments programs run from."""

    environments: list[Environment] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)
    reasons: set[str] = field(default_factory=set)
    running: dict[str, float] = field(default_factory=dict)  # prefix -> start of the oldest process, seconds
    walked: Attributes = field(default_factory=dict)  # how far the walk has come


def search(subject: Subject, budget: float = FIRST_BUDGET) -> Found:
    """Find every environment below the subject's root, in the order of their names."""
    root = subject.root
    done = _walked(subject, budget)
    known = done.known()
    found = Found(skipped=known.skipped, reasons=set(known.reasons))
    found.running = subject.memory.once(("running", subject.prefix), lambda: running(root))
    found.walked = {"passes": done.passes, "directories_pending": len(done.pending)}
    candidates = (*_configured(subject), *places(root), *found.running, *known.places)
    environments = set(_environments(root, dict.fromkeys(candidates), found.reasons))
    found.environments = sorted(
        _once(root, _without_venv_libraries(environments)), key=lambda one: (one.name, one.library)
    )
    return found


def searched(subject: Subject) -> Found:
    """What `search` finds, once for all collectors of a survey: the walk goes on by one budget and not by several."""
    return subject.memory.once(("python search", subject.prefix), lambda: search(subject))


def _walked(subject: Subject, budget: float) -> Walk:
    """The walk over this root, gone on with for a while and kept for the next survey."""
    with subject.root.open("", 0) as top:
        status = os.fstat(top)
    key = f"walk {subject.prefix}{status.st_dev}:{status.st_ino}"  # a container that was restarted has another root
    done = Walk.of(subject.memory.earlier.get(key))
    later = _LATER_INSIDE if subject.prefix else LATER_BUDGET
    walk(subject.root, done, subject.options.search, later if done.passes else budget)
    subject.memory.lasting[key] = asdict(done)
    return done


def _configured(subject: Subject) -> Iterator[str]:
    """Where the operator says that one is, in the settings or by a service; that must not wait for the walk."""
    options = subject.options
    yield from (path.strip("/") for path in options.names.values())
    yield from (path.rpartition("/bin/")[0] for path in executables(subject.root) if "/bin/" in path)
    for directory in options.applications.values():
        yield from (join(directory.strip("/"), name) for name in _PROJECT_VENVS)


def _environments(root: Root, candidates: Iterable[str], reasons: set[str]) -> Iterator[Environment]:
    """What is at each candidate: a venv, an interpreter, or a site directory that belongs to neither."""
    found: list[Environment] = []
    for path in candidates:
        try:
            found.extend(_at(root, path))
        except Unreadable as problem:
            reasons.add(problem.reason)
    claimed: set[str] = set()
    for one in found:
        try:
            claimed.update(site_directories(root, one) if one.role != "site" else ())
        except Unreadable as problem:
            reasons.add(problem.reason)
    yield from (one for one in found if one.role != "site" or one.name not in claimed)


def _at(root: Root, path: str) -> Iterator[Environment]:
    if path.rpartition("/")[2] in SITE_NAMES:
        if root.is_directory(path):
            yield _site(path)
    elif _has_configuration(root, path):
        yield venv(root, path)
    else:
        yield from interpreters(root, path)


def _has_configuration(root: Root, path: str) -> bool:
    """Whether there is a pyvenv.cfg: one that cannot be read, as a FIFO, is told by what reads the environment."""
    status = root.stat(join(path, "pyvenv.cfg"))
    return status is not None and not stat.S_ISDIR(status.st_mode)


def _once(root: Root, environments: set[Environment]) -> Iterator[Environment]:
    """Each environment by one name: /opt/python -> /opt/python-3.12 and bind mounts lead to one directory."""
    seen: dict[tuple[int, int], Environment] = {}
    for one in environments:
        try:
            status = root.stat(join(one.prefix, one.library) if one.library else one.prefix)
        except Unreadable:
            status = None
        if status is None:
            yield one
            continue
        place = (status.st_dev, status.st_ino)
        seen[place] = min(one, seen.get(place, one), key=lambda known: (_has_links(root, known.name), known.name))
    yield from seen.values()


def _has_links(root: Root, path: str) -> bool:
    try:
        return root.resolved(path) != path
    except Unreadable:
        return True


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
