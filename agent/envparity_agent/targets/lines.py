"""Which line of a declaring file says an item: where whoever reads of a difference can change it.

The readers tell where a declaration begins. A lock's table and a command of a Dockerfile go on over several lines: of
those it is the one that has the item's name. A line that does not have it is not told.
"""

import os
import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from envparity_agent.collectors.declared import yaml_documents
from envparity_agent.collectors.declared.copies import Copied, origins
from envparity_agent.collectors.declared.dockerfile_syntax import Instruction, flags, instructions
from envparity_agent.collectors.declared.formats import headers
from envparity_agent.collectors.declared.source import MAX_FILE, Source
from envparity_agent.errors import UsageError
from envparity_agent.fingerprint import Attributes, Fingerprint
from envparity_agent.root import Root

PYTHON, SYSTEM = "python", "os-packages"
MAX_FILES = 100  # that include each other

_INCLUDE = re.compile(r"\s*(?:(?P<requirement>-r|--requirement)|-c|--constraint)\s*[=\s]?\s*(?P<path>\S+)")
_INSTRUCTIONS = {
    "image": "FROM", "env": "ENV", "port": "EXPOSE", "label": "LABEL", "user": "USER", "workdir": "WORKDIR",
    "entrypoint": "ENTRYPOINT", "command": "CMD",
}  # fmt: skip
_KEYS = {
    "image": ("image",), "env": ("environment",), "port": ("ports", "expose"), "label": ("labels",), "user": ("user",),
    "workdir": ("working_dir",), "mount": ("volumes",), "network": ("network_mode",),
}  # fmt: skip
_BESIDE = frozenset({"env", "port", "label", "mount"})  # of which each has a name of its own: `env:MODE`


@dataclass(frozen=True)
class Line:
    """A line of a file, by the name that a person gave the file; the first one is 1."""

    file: str
    number: int


@dataclass(frozen=True)
class _Part:
    """A file with its lines, how it was included, and the lines at which something begins that goes on after them."""

    source: Source
    via: str = ""
    lines: Sequence[str] = ()
    begins: Sequence[int] = ()  # sorted; empty: each line is for itself

    def find(self, name: "re.Pattern[str]", number: int) -> Line | None:
        """The line of a declaration, which begins at this one, that has a name."""
        position = bisect_right(self.begins, number)
        following = self.begins[position] if position < len(self.begins) else len(self.lines) + 1
        last = following if self.begins else number + 1
        for line in range(number, min(last, len(self.lines) + 1)):
            if name.search(self.lines[line - 1]):
                return Line(self.source.name, line)
        return None


@dataclass(frozen=True)
class Lines:
    """What a declaring file says, and where."""

    declared: Fingerprint
    parts: Sequence[_Part] = ()
    steps: Sequence[Instruction] = ()  # of a Dockerfile
    services: Mapping[str, "yaml_documents.Mapping"] = field(default_factory=dict)  # of a compose file, by section

    def of(self, section: str, item: str) -> Line | None:
        """The line that says an item of a section of whatever was held against the file; None where none does."""
        kind = _kind(section)
        if kind in (PYTHON, SYSTEM):
            return self._package(kind, item)
        if kind is None or not self.parts:
            return None
        if not any(item in one.items for path, one in self.declared.sections.items() if _kind(path) == kind):
            return None
        return self._step(item) if self.steps else self._key(section, item)

    def base(self) -> Line | None:
        """The line of a Dockerfile that names the image which its last stage is based on."""
        stages: dict[str, Instruction] = {}
        found = None
        for one in self.steps:
            if one.word == "FROM":
                image, _, stage = flags(one.value)[1].partition(" ")
                found = stages.get(image.lower(), one)
                stages[stage.strip()[2:].strip().lower() or f"{len(stages)}"] = found
        return Line(self.parts[0].source.name, found.line) if found else None

    def _package(self, kind: str, item: str) -> Line | None:
        bare = item.partition("#")[0].partition(":")[0]
        name = _word(bare, python=kind == PYTHON)
        for body in self._said(kind, bare):
            number, via = body.get("line"), body.get("via")
            if not isinstance(number, int):
                continue
            included = [one for one in self.parts if one.via and isinstance(via, tuple) and one.via in via]
            for part in included or self.parts[:1]:
                if found := part.find(name, number):
                    return found
        return None

    def _said(self, kind: str, name: str) -> Iterator[Attributes]:
        """What the file says of a package, of each of its markers."""
        for path, section in self.declared.sections.items():
            if _kind(path) == kind:
                yield from (body for item, body in section.items.items() if item.partition("#")[0] == name)

    def _step(self, item: str) -> Line | None:
        """The last instruction of a Dockerfile that says an item of the configuration."""
        if item == "image":
            return self.base()
        form, name = _named(item)
        word = _INSTRUCTIONS.get(form)
        for one in reversed(self.steps):
            if word and one.word == word and (found := self.parts[0].find(_word(name or word), one.line)):
                return found
        return None

    def _key(self, section: str, item: str) -> Line | None:
        """The line of a compose file that says an item of a service: of the only one, where its name is another."""
        path = section.removesuffix("/config")
        service = self.services.get(path) or (next(iter(self.services.values())) if len(self.services) == 1 else None)
        form, name = _named(item)
        if service is None:
            return None
        for key in _KEYS.get(form, (item,)):
            if key in service.lines and (number := _entry(service, key, name)):
                return self.parts[0].find(_word(name or key), number)
        return None


def lines(path: str, declared: Fingerprint) -> Lines:
    """The lines of a file of which this is the fingerprint; none of a pipe, which was read to its end before."""
    if not os.path.isfile(path):
        return Lines(declared)
    try:
        with open(path, "rb") as file, Root("/") as root:
            source = Source(path, file.read(MAX_FILE + 1), root, os.path.abspath(path))
            return _read(source, declared)
    except (OSError, UsageError):  # it has changed since it was declared
        return Lines(declared)


def _read(source: Source, declared: Fingerprint) -> Lines:
    if declared.target.kind == "dockerfile":
        steps = instructions(source)[0]
        own = _part(source, begins=[one.line for one in steps])
        return Lines(declared, [own, *_copied(source, steps, declared)], steps)
    if declared.target.kind == "compose":
        return Lines(declared, [_part(source)], services=_services(yaml_documents.read_yaml(source), declared))
    begins = sorted(headers(source, "package") + headers(source, "packages"))
    return Lines(declared, [_part(source, begins=begins), *_included(source)])


def _part(source: Source, via: str = "", begins: Sequence[int] = ()) -> _Part:
    return _Part(source, via, source.text().split("\n"), begins)


def _included(source: Source, via: str = "") -> Iterator[_Part]:
    """The files that a requirements file includes, and those that they include; one way to call each: the reader's."""
    waiting, seen = [source], {source.path}
    while waiting and len(seen) <= MAX_FILES:
        one = waiting.pop()
        for number, line in enumerate(one.text().split("\n"), start=1):
            found = _INCLUDE.match(line)
            beside = _beside(one, found["path"], number) if found else None
            if found and beside and beside.path not in seen:
                seen.add(beside.path)
                waiting.append(beside)
                yield _part(beside, via or f"{'-r' if found['requirement'] else '-c'} {found['path']}")


def _beside(source: Source, path: str, line: int) -> Source | None:
    try:
        return source.beside(path, line)
    except UsageError:
        return None


def _copied(source: Source, steps: Sequence[Instruction], declared: Fingerprint) -> Iterator[_Part]:
    """The requirements files beside a Dockerfile that it installs from, by the paths that they have in the image."""
    copies: list[Copied] = []
    for one in steps:
        words = flags(one.value)[1].split()
        if one.word in ("COPY", "ADD") and len(words) > 1:
            copies.append((tuple(words[:-1]), words[-1]))
    named = {
        via
        for path, section in declared.sections.items()
        if _kind(path) == PYTHON
        for body in section.items.values()
        if isinstance(listed := body.get("via"), tuple)
        for via in listed
    }
    for via in sorted(named):
        path = via.partition(" ")[2]
        candidates = [*origins(path, copies), path.lstrip("/"), os.path.basename(path)]
        found = next((file for one in candidates if (file := _beside(source, one, 0))), None)
        if found:
            yield _part(found, via)
            yield from _included(found, via)


def _services(document: "yaml_documents.Mapping", declared: Fingerprint) -> dict[str, "yaml_documents.Mapping"]:
    """The services by the paths of their sections: `container/PROJECT.SERVICE`."""
    services = document.get("services")
    if not isinstance(services, yaml_documents.Mapping):
        return {}
    paths = [path for path in declared.sections if _kind(path) == "container"]
    found = {path: services.get(path.partition("/")[2].partition(".")[2]) for path in paths}
    return {path: one for path, one in found.items() if isinstance(one, yaml_documents.Mapping)}


def _entry(service: "yaml_documents.Mapping", key: str, name: str) -> int:
    """The line of a key of a service, or of the entry below it that has a name; 0 where none has."""
    value = service.get(key)
    if not name:
        return service.lines[key]
    if isinstance(value, yaml_documents.Mapping):
        return value.lines.get(name, 0)
    entries = zip(value, value.lines, strict=True) if isinstance(value, yaml_documents.Sequence) else ()
    return next((line for entry, line in entries if _word(name).search(str(entry))), 0)


def _kind(section: str) -> str | None:
    """Of which kind the items of a section are, by its path; None for what no file declares."""
    parts = section.split("/")
    if PYTHON in parts:
        return PYTHON
    if parts[-1] == SYSTEM:
        return SYSTEM
    if parts[0] not in ("container", "image"):
        return None
    return "configuration" if parts[-1] == "config" else "container"


def _named(item: str) -> tuple[str, str]:
    """The form of an item of a container, and its own name: `env` and `MODE`, `user` and nothing."""
    form, _, name = item.partition(":")
    return (form, name.partition("/")[0] if form == "port" else name) if form in _BESIDE else (item, "")


def _word(name: str, python: bool = False) -> "re.Pattern[str]":
    """A name that stands for itself; of a Python distribution in any of its spellings."""
    spelled = r"[-_.]+".join(map(re.escape, re.split(r"[-_.]+", name))) if python else re.escape(name)
    return re.compile(rf"(?<![A-Za-z0-9]){spelled}(?![A-Za-z0-9])", re.IGNORECASE if python else 0)
