"""Finds libraries in a root as its dynamic loader would, without running it.

The order is that of https://man7.org/linux/man-pages/man8/ld.so.8.html; what depends on a process's environment
(LD_LIBRARY_PATH, LD_PRELOAD) or on the processor (glibc-hwcaps) is left out.
"""

import os
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TypeVar

from envparity_agent.collectors.memory import Memory, stamp
from envparity_agent.collectors.system.elf import MAGIC, Elf, read_elf
from envparity_agent.errors import Unreadable
from envparity_agent.fingerprint import Reason
from envparity_agent.root import Root

_Facts = TypeVar("_Facts")

_MAX_CONFIGURATION = 64 * 1024  # bytes of etc/ld.so.conf, and of each file that it includes
_MAX_INCLUDED = 200
_MAX_DEPTH = 16
_MAX_DIRECTORIES = 500
_MAX_PATTERN = 1024
MAX_LOOKUPS = 500_000  # paths that are tried: a hostile library can ask for many names in many directories
_DEFAULT = ("lib64", "usr/lib64", "lib", "usr/lib", "lib32", "usr/lib32")
_MUSL_DEFAULT = "usr/local/lib"  # https://git.musl-libc.org/cgit/musl/tree/ldso/dynlink.c


@dataclass(frozen=True)
class File:
    """An ELF file: where it lies when all symlinks are followed, and what it asks for."""

    path: str
    elf: Elf


@dataclass(frozen=True)
class Object:
    """A file as it is loaded: the path that it was found by, and the RPATH of what loads it."""

    path: str
    inherited: tuple[str, ...] = ()


class Loader:
    """The search in one root; `reasons` says what could not be read, so that what is not found may yet be there."""

    def __init__(self, root: Root, memory: Memory, prefix: str = "") -> None:
        self.reasons: set[str] = set()
        self._root, self._memory, self._prefix = root, memory, prefix
        self._lookups = 0
        self._files: dict[str, File | None] = {}
        self._needs: dict[Object, tuple[tuple[str, Object | None], ...]] = {}
        self._found: dict[tuple[str, str, int], str | None] = {}
        self.directories = tuple(self._directories())

    def remembered(self, what: str, path: str, read: Callable[[], _Facts], known: Hashable = None) -> _Facts:
        """What is read of a file, once as long as the file stays the same; `known` is its stamp if at hand."""
        return self._memory.recall((what, self._prefix, path), known or stamp(self._root, path), read)

    def file(self, path: str) -> File | None:
        """The ELF file at a path; None where there is none, or where it cannot be read: then `reasons` says why."""
        if path not in self._files:
            facts: File | None = None
            problem: str | None = None
            try:
                known = stamp(self._root, path)
                if known or self._root.stat(path):  # without a stamp it is not there, or the reason is raised
                    facts, problem = self.remembered("elf", path, lambda: self._read(path), known)
            except Unreadable as unreadable:
                problem = unreadable.reason
            if problem not in (None, Reason.VANISHED):
                self.reasons.add(problem)
            self._files[path] = facts
        return self._files[path]

    def needs(self, asker: Object) -> tuple[tuple[str, Object | None], ...]:
        """The names that a file asks for, each with what the loader would take; None where it would find nothing."""
        if asker not in self._needs:
            file = self.file(asker.path)
            self._needs[asker] = tuple(self._resolve(asker, file)) if file else ()
        return self._needs[asker]

    def default(self, name: str, elf: Elf) -> str | None:
        """Where a library lies that no search path of its own leads to: in what is configured, and the standard."""
        key = (name, elf.machine, elf.bits)
        if key not in self._found:
            self._found[key] = self._first(name, elf, self.directories)
        return self._found[key]

    def passed_on(self, asker: Object) -> tuple[str, ...]:
        """The RPATH that holds for what a file loads; with a RUNPATH its own does not count."""
        file = self.file(asker.path)
        own = self._expanded(asker.path, file.elf.rpath) if file and not file.elf.runpath else ()
        return tuple(dict.fromkeys((*own, *asker.inherited)))[:_MAX_DIRECTORIES]

    def _resolve(self, asker: Object, file: File) -> Iterator[tuple[str, Object | None]]:
        passed_on = self.passed_on(asker)
        before = self._expanded(asker.path, file.elf.runpath) or passed_on
        for name in dict.fromkeys(file.elf.needed):
            if "/" in name:  # a path: it is searched for nowhere else
                found = self._first(name, file.elf, ("",)) if name.startswith("/") else None
            else:
                found = self._first(name, file.elf, before) or self.default(name, file.elf)
            yield name, Object(found, passed_on) if found else None

    def _first(self, name: str, asker: Elf, directories: tuple[str, ...]) -> str | None:
        for directory in directories:
            self._lookups += 1
            if self._lookups > MAX_LOOKUPS:
                self.reasons.add(Reason.CAP)
                return None
            path = f"{directory}/{name}".lstrip("/")
            found = self.file(path)
            # one of another architecture is passed over, as the loader does
            if found and (found.elf.machine, found.elf.bits) == (asker.machine, asker.bits):
                return path
        return None

    def _read(self, path: str) -> tuple[File | None, str | None]:
        """A file, or the reason why it is damaged; neither where it is something else, such as a linker script."""
        try:
            with self._root.regular(path) as descriptor:
                if os.pread(descriptor, 4, 0) != MAGIC:
                    return None, None
                elf = read_elf(lambda offset, size: os.pread(descriptor, size, offset))
        except ValueError:
            return None, Reason.INVALID
        return File(self._root.resolved(path), elf), None

    def _expanded(self, path: str, directories: tuple[str, ...]) -> tuple[str, ...]:
        """Search paths below the root; one that is neither absolute nor below $ORIGIN depends on the process."""
        origin = f"/{path}".rpartition("/")[0]
        expanded = (one.replace("${ORIGIN}", origin).replace("$ORIGIN", origin) for one in directories)
        # `..` is taken off by name: a path that grows with each step would make endlessly many of one
        return tuple(os.path.normpath(one).strip("/") for one in expanded if one.startswith("/"))

    def _directories(self) -> Iterator[str]:
        """The directories that every search ends with, each once and only where it is there."""
        tried: set[str] = set()
        seen: set[str] = set()
        triplets = [name for name in self._names("usr/lib") + self._names("lib") if "-linux-" in name]
        multiarch = [f"{top}/{name}" for name in dict.fromkeys(triplets) for top in ("lib", "usr/lib")]
        for path in (*self._configured(), *multiarch, *_DEFAULT, _MUSL_DEFAULT):
            if path in tried:
                continue
            tried.add(path)
            if len(tried) > _MAX_DIRECTORIES:
                self.reasons.add(Reason.CAP)
                return
            try:
                real = self._root.resolved(path)
                there = self._root.is_directory(path)
            except Unreadable as problem:
                if problem.reason != Reason.VANISHED:
                    self.reasons.add(problem.reason)
                continue
            if there and real not in seen:  # /lib is /usr/lib on merged systems
                seen.add(real)
                yield path

    def _configured(self) -> Iterator[str]:
        """What etc/ld.so.conf names, and musl's etc/ld-musl-ARCH.path: both before the standard directories."""
        musl = [f"etc/{name}" for name in self._names("etc") if fnmatchcase(name, "ld-musl-*.path")]
        reading = [self._lines(path) for path in ("etc/ld.so.conf", *musl)][::-1]
        included = 0
        while reading:
            line = next(reading[-1], None)
            if line is None:
                reading.pop()
                continue
            word, _, rest = line.partition(" ")
            if word == "include":
                paths = [path for pattern in rest.split() for path in self._matching(pattern)]
                included += len(paths)
                if included > _MAX_INCLUDED or len(reading) > _MAX_DEPTH:
                    self.reasons.add(Reason.CAP)
                    return
                reading += [self._lines(path) for path in reversed(paths)]
            elif word != "hwcap":
                # separated by colons, commas or blanks: https://man7.org/linux/man-pages/man8/ldconfig.8.html
                yield from (part.strip("/") for part in line.replace(":", " ").replace(",", " ").split())

    def _lines(self, path: str) -> Iterator[str]:
        try:
            content = self._root.read_if_there(path, _MAX_CONFIGURATION)
        except Unreadable as problem:
            self.reasons.add(problem.reason)
            return
        for line in (content or b"").decode("utf-8", "surrogateescape").splitlines():
            text = " ".join(line.partition("#")[0].split())
            if text:
                yield text

    def _matching(self, pattern: str) -> list[str]:
        """The files that an `include` means: a pattern in the last part of a path, relative to /etc."""
        if len(pattern) > _MAX_PATTERN:
            return []
        path = pattern.strip("/") if pattern.startswith("/") else f"etc/{pattern}"
        directory, _, names = path.rpartition("/")
        return [f"{directory}/{name}" for name in self._names(directory) if fnmatchcase(name, names)]

    def _names(self, directory: str) -> list[str]:
        try:
            return self._root.names(directory)
        except Unreadable as problem:
            self.reasons.add(problem.reason)
            return []
