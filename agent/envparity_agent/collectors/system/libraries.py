"""The native libraries that Python environments load, by soname: OpenSSL first of all.

What a wheel brings along is part of the wheel, and the C library is part of the operating system: neither is here.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial

from envparity_agent.collectors.interface import Subject
from envparity_agent.collectors.reads import Reads
from envparity_agent.collectors.system.distribution import programs_machine
from envparity_agent.collectors.system.library import OPENSSL, identity, told_version
from envparity_agent.collectors.system.loader import Loader, Object
from envparity_agent.collectors.system.modules import Loading, Module, loads
from envparity_agent.errors import Unreadable
from envparity_agent.fingerprint import Attributes, Reason, Section, Status
from envparity_agent.root import Root

READS = Reads(
    content=(
        r"[^/]*\.so(?:\.[^/]*)?",
        r"bin/(?:python|pypy)[\d.]*t?",
        r"etc/(?:ld\.so\.conf(?:\.d/[^/]*)?|ld-musl-[^/]*)",
    ),
)

MAX_USERS = 20  # names that are told of who loads a library
MAX_OBJECTS = 50_000

# parts of the C library, which section `os` tells
_LIBC = re.compile(
    r"(?:lib(?:c|m|dl|rt|pthread|util|resolv|anl|mvec|BrokenLocale|thread_db)\.so\.\d"
    r"|libnsl\.so\.1$|ld-|ld64?\.so|libc\.musl-|linux-vdso)"
)
# told also where no module asks for it: a static Python is there, or another part of the application loads it
_ALWAYS = re.compile(r"^(?:libcrypto|libssl|libpython\d[\w.]*)\.so\.[\d.]+$")

Owner = Callable[[str], str | None]
Users = dict[str, dict[str, set[str]]]  # name of a library -> path of a file -> who loads it


def nobody(_: str) -> str | None:
    """An owner of files that knows none."""
    return None


def collect(subject: Subject, owner: Owner = nobody) -> Iterator[Section]:
    """Yield `os/libraries`; `owner` tells the OS package that a path below the root belongs to."""
    found = loads(subject)
    loader = Loader(subject.root, subject.memory, subject.prefix)
    usage = Usage(subject.root, loader)
    for loading in found.environments:
        usage.add(loading, found.sites)
    usage.add_present(found.environments)
    items = _items(subject.root, loader, usage, owner)
    reasons = found.reasons | loader.reasons | usage.reasons
    if not reasons:  # else what was not found may be where it could not be looked for
        for name, users in usage.missing.items():
            items.setdefault(name, {"missing": True, "used_by": tuple(sorted(users))})
    status = Status.PARTIAL if reasons else Status.OK
    yield Section("os/libraries", "libraries", 1, items, status, tuple(sorted(reasons)))


class Usage:
    """Which libraries are loaded, and by whom."""

    def __init__(self, root: Root, loader: Loader) -> None:
        self.libraries: Users = {}
        self.static: Users = {}  # copies of OpenSSL inside something else, by what they are inside of
        self.missing: dict[str, set[str]] = {}
        self.reasons: set[str] = set()
        self._root, self._loader = root, loader
        self._machine = programs_machine(root)
        self._users: dict[Object, set[str]] = {}

    def add(self, loading: Loading, sites: frozenset[str]) -> None:
        """Follow what one environment's interpreter and modules ask for."""
        inherited: tuple[str, ...] = ()
        known = set(loading.own)
        if loading.interpreter:
            start = Object(loading.interpreter.path)
            known |= self._follow(start, loading.interpreter.name, known, sites)
            inherited = self._loader.passed_on(start)
        for module in loading.modules:
            file = self._loader.file(module.path)
            if file and self._machine in (None, file.elf.machine):
                self._follow(Object(module.path, inherited), module.name, known, sites)
        if loading.role == "interpreter":
            self._add_static(loading)

    def add_present(self, environments: tuple[Loading, ...]) -> None:
        """Add OpenSSL and libpython where they lie, although nothing that is known asks for them."""
        own = (f"{one.prefix}/lib".strip("/") for one in environments if one.role == "interpreter")
        for directory in dict.fromkeys((*self._loader.directories, *own)):
            try:
                names = self._loader.remembered("names", directory, partial(_always, self._root, directory))
            except Unreadable as problem:
                self.reasons.add(problem.reason)
                continue
            for name in names:
                file = self._loader.file(f"{directory}/{name}")
                if file and file.elf.soname == name and self._machine in (None, file.elf.machine):
                    self.libraries.setdefault(name, {}).setdefault(file.path, set())

    def _follow(self, start: Object, user: str, known: set[str], sites: frozenset[str]) -> set[str]:
        """Note a user at all that is loaded because of it; returns the names of that.

        What is `known` is loaded already, or comes with a wheel: it is not missing where no search path leads to it.
        """
        names: set[str] = set()
        pending = [start]
        while pending:
            for name, found in self._loader.needs(pending.pop()):
                if _LIBC.match(name):
                    continue
                names.add(name)
                if found is None:
                    if name not in known:
                        _note(self.missing.setdefault(name, set()), user)
                elif self._noted(name, found, user, sites):
                    pending.append(found)
        return names

    def _noted(self, name: str, found: Object, user: str, sites: frozenset[str]) -> bool:
        """Note a user at an object; whether what it asks for is still to be followed for this user."""
        if found not in self._users and len(self._users) >= MAX_OBJECTS:
            self.reasons.add(Reason.CAP)
            return False
        new = _note(self._users.setdefault(found, set()), user)
        file = self._loader.file(found.path)
        if new and file and not sites.intersection(_parents(file.path)):
            _note(self.libraries.setdefault(name, {}).setdefault(file.path, set()), user)
        return new

    def _add_static(self, loading: Loading) -> None:
        """The OpenSSL inside of `_ssl`, or of an interpreter that has that module in itself."""
        holders = [one for one in loading.modules if one.name == "_ssl" and "/lib-dynload/" in f"/{one.path}"]
        if not holders and loading.interpreter:
            needs = self._loader.needs(Object(loading.interpreter.path))
            shared = [one.path for name, one in needs if one and name.startswith("libpython")]
            holders = [loading.interpreter, *(Module(path, loading.interpreter.name) for path in shared)]
        for holder in holders:
            asked = [name for name, _ in self._loader.needs(Object(holder.path))]
            file = self._loader.file(holder.path)
            if file and not any(name.startswith(("libcrypto", "libssl")) for name in asked):
                self.static.setdefault(f"libcrypto in {holder.name}", {}).setdefault(file.path, set()).add(holder.name)


def _parents(path: str) -> Iterator[str]:
    """The directories that a path lies in, the nearest first."""
    while path:
        path = path.rpartition("/")[0]
        yield path


def _always(root: Root, directory: str) -> tuple[str, ...]:
    return tuple(name for name in root.names(directory) if _ALWAYS.match(name))


def _note(users: set[str], user: str) -> bool:
    """Add a user, up to the limit; whether it is new."""
    if user in users or len(users) >= MAX_USERS:
        return False
    users.add(user)
    return True


def _items(root: Root, loader: Loader, usage: Usage, owner: Owner) -> dict[str, Attributes]:
    items: dict[str, Attributes] = {}
    for name, places in usage.libraries.items():
        for key, path, users in _keyed(loader, name, places):
            file = loader.file(path)
            if file is None:
                continue  # went away meanwhile: `loader.reasons` has it
            package = owner(path)
            items[key] = {
                **identity(root, loader, name, file),
                "path": f"/{path}",
                **({"owner": package} if package else {}),
                **({"used_by": tuple(sorted(users))} if users else {}),
            }
    for name, places in usage.static.items():
        told = {path: users for path, users in places.items() if told_version(root, loader, OPENSSL, path)}
        for key, path, users in _keyed(loader, name, told):
            version = told_version(root, loader, OPENSSL, path)
            items[key] = {"version": version, "path": f"/{path}", "used_by": tuple(sorted(users))}
    return items


def _keyed(loader: Loader, name: str, places: Mapping[str, set[str]]) -> Iterator[tuple[str, str, set[str]]]:
    """Name what every program gets by its soname alone; where there are several, the others by soname and path."""
    for path, users in places.items():
        file = loader.file(path)
        usual = file and loader.default(name, file.elf)
        first = loader.file(usual) if usual else None
        alone = len(places) == 1 or (first is not None and first.path == path)
        yield (name if alone else f"{name}#{path}"), path, users
