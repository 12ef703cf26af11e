"""Finds what a Python environment loads native libraries through: its interpreter and its extension modules."""

import os
import re
import time
import zlib
from dataclasses import dataclass

from envparity_agent.collectors.interface import Subject
from envparity_agent.collectors.memory import stamp
from envparity_agent.collectors.paths import join
from envparity_agent.collectors.python.search import Environment, searched, site_directories
from envparity_agent.errors import Unreadable
from envparity_agent.fingerprint import Reason
from envparity_agent.root import Root

MAX_MODULES = 20_000
_MAX_DIRECTORIES = 100_000
_RELIST_SECONDS = 3600
_SHARED = re.compile(r"\.so(?:\.\d+)*$")


@dataclass(frozen=True)
class Module:
    """A file that Python loads, by the name of the program, of the package or of the module that it is part of."""

    path: str
    name: str


@dataclass(frozen=True)
class Loading:
    """What one Python environment loads; `interpreter` is None where the environment has none, as a user's site."""

    prefix: str
    role: str  # as of search.Environment
    interpreter: Module | None
    modules: tuple[Module, ...]
    own: frozenset[str]  # names of all shared libraries in its site directories: wheels bring theirs along


@dataclass(frozen=True)
class Loads:
    """What all environments of a root load, the site directories that they have, and what could not be read."""

    environments: tuple[Loading, ...]
    sites: frozenset[str]
    reasons: frozenset[str]


def loads(subject: Subject) -> Loads:
    """Find the environments of a subject, and the extension modules of each."""
    found = searched(subject)
    reasons = set(found.reasons)
    sites: set[str] = set()
    environments = []
    left = MAX_MODULES
    for environment in found.environments:
        try:
            places = [subject.root.resolved(path) for path in site_directories(subject.root, environment)]
        except Unreadable as problem:
            reasons.add(problem.reason)
            continue
        sites.update(places)
        loading = _loading(subject, environment, places, reasons, left)
        left -= len(loading.modules)
        environments.append(loading)
    return Loads(tuple(environments), frozenset(sites), frozenset(reasons))


def _loading(subject: Subject, environment: Environment, sites: list[str], reasons: set[str], limit: int) -> Loading:
    places = list(sites)
    if environment.role == "interpreter":
        places.append(join(environment.prefix, environment.library, "lib-dynload"))
    modules: dict[str, Module] = {}
    own: set[str] = set()
    for place in places:
        for path in _shared_objects(subject, place, reasons):
            own.add(path.rpartition("/")[2])
            if not path.endswith(".so"):
                continue  # libfoo.so.1 of a wheel: is loaded by what asks for it
            if len(modules) >= limit:
                reasons.add(Reason.CAP)
                break
            modules[path] = Module(path, path.removeprefix(f"{place}/").partition("/")[0].partition(".")[0])
    return Loading(
        environment.prefix,
        environment.role,
        _interpreter(subject, environment, reasons),
        tuple(modules[path] for path in sorted(modules)),
        frozenset(own),
    )


def _interpreter(subject: Subject, environment: Environment, reasons: set[str]) -> Module | None:
    names = [f"python{environment.abi}", f"pypy{environment.abi}", "python3", "python"]
    for name in names if environment.role != "site" else ():
        try:
            path = join(environment.prefix, "bin", name)
            if subject.root.is_file(path):
                real = subject.root.resolved(path)  # what $ORIGIN of a program is
                return Module(real, real.rpartition("/")[2])
        except Unreadable as problem:
            if problem.reason != Reason.VANISHED:
                reasons.add(problem.reason)
    return None


def _shared_objects(subject: Subject, top: str, reasons: set[str]) -> tuple[str, ...]:
    """The paths of the shared libraries below a site directory.

    Whatever installs or removes a distribution changes the entries of the site directory itself, so that its stamp
    stands for the many below it; what a hand puts deeper is seen when all is listed anew, once an hour.
    """
    known = stamp(subject.root, top)
    hour = (
        int(time.monotonic() + zlib.crc32(top.encode("utf-8", "surrogateescape")) % _RELIST_SECONDS) // _RELIST_SECONDS
    )
    key = ("shared objects", subject.prefix, top)
    paths, problems = subject.memory.recall(key, known and (known, hour), lambda: _listed(subject.root, top))
    reasons.update(problems)
    return paths


def _listed(root: Root, top: str) -> tuple[tuple[str, ...], frozenset[str]]:
    """The shared libraries below a directory, symlinked ones not entered, and why some could not be listed."""
    paths: list[str] = []
    reasons: set[str] = set()
    pending = [top]
    for _ in range(_MAX_DIRECTORIES):
        if not pending:
            return tuple(paths), frozenset(reasons)
        path = pending.pop()
        try:
            with root.open(path, os.O_RDONLY | os.O_DIRECTORY) as descriptor, os.scandir(descriptor) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        if entry.name != "__pycache__":
                            pending.append(join(path, entry.name))
                    elif _SHARED.search(entry.name):
                        paths.append(join(path, entry.name))
        except Unreadable as problem:
            if problem.reason != Reason.VANISHED:
                reasons.add(problem.reason)
    return tuple(paths), frozenset((*reasons, Reason.CAP))
