"""Looks at two targets once more, for the symbols of what differs between them and of what uses it."""

import os
import re
from collections.abc import Iterator, Mapping, Set
from dataclasses import replace

from envparity_agent.collectors.interface import Around, Options, Outline
from envparity_agent.collectors.memory import Memory
from envparity_agent.collectors.python.modules import MAX_SOURCE, is_package
from envparity_agent.collectors.python.symbols import MAX_SOURCES, SCHEMA, parsed
from envparity_agent.errors import CannotTell, Unreadable, UsageError
from envparity_agent.fingerprint import MAX_ITEMS, Attributes, Fingerprint, Reason, Section, Status, as_texts
from envparity_agent.root import Root
from envparity_agent.survey import within_contract
from envparity_agent.targets import fingerprint
from envparity_server.compare.model import Comparison

APPLICATION = "symbols/@application"

# a word, a dotted key, a path or the name of a library in quotes; a field of a class: `catalog_delays: list[float]`
_TEXT = re.compile(rb"""(?<=['"])[A-Za-z_/][\w./+-]{1,100}(?=['"])""", re.ASCII)
_FIELD = re.compile(rb"^ +([A-Za-z_]\w{1,100}): ?[\w\"']", re.ASCII | re.MULTILINE)
_MOST_TEXTS = 2000  # of one module
# methods that run without being named
_UNNAMED = frozenset({"__aenter__", "__call__", "__enter__", "__getattr__", "__init__", "__new__"})
_NOT_OF_THE_APPLICATION = frozenset({"node_modules", "site-packages", "dist-packages", "__pycache__"})


def with_symbols(
    good: str,
    bad: str,
    comparison: Comparison,
    options: Options,
    app_source: str | None = None,
    memory: Memory | None = None,
) -> tuple[Fingerprint | None, Fingerprint | None, Section | None]:
    """Both targets with the symbols that explain their comparison, and those of the application's own source.

    None for a side that cannot be looked at again: a file, a pipe, or what a server has. The memory of the first look
    spares much of the others.
    """
    application = source(app_source, options) if app_source else None
    differing = frozenset(one.item for one in comparison.differences if one.kind == "python" and one.item)
    memory = memory or Memory(keeps=True)  # what both sides have is read once

    def look(symbols: Outline | Around) -> tuple[Fingerprint | None, Fingerprint | None]:
        asked = replace(options, symbols=symbols)
        first, second = (fingerprint(text, asked, memory) if _is_read_here(text) else None for text in (good, bad))
        return first, second

    words: Mapping[str, frozenset[str]] = {}
    changed: frozenset[str] = frozenset()
    if differing and _is_read_here(good) and _is_read_here(bad):
        words, changed = _unshared(*look(Outline(differing)))
    return *look(Around(differing, frozenset(_used(application)), words, changed)), application


def _unshared(good: Fingerprint | None, bad: Fingerprint | None) -> tuple[dict[str, frozenset[str]], frozenset[str]]:
    """For each distribution, of which words whoever breaks by its difference needs one; and the modules that differ.

    A distribution that is not on both sides, or of which no names are told, has no words: whoever imports it may break.
    """
    if good is None or bad is None:
        return {}, frozenset()
    ours, theirs = _outlines(good), _outlines(bad)
    words: dict[str, frozenset[str]] = {}
    changed: set[str] = {module for name in ours.keys() ^ theirs.keys() for module in {**ours, **theirs}[name]}
    for name in ours.keys() & theirs.keys():
        before, after = ours[name], theirs[name]
        differing = {module for module in before.keys() | after.keys() if before.get(module) != after.get(module)}
        changed |= differing
        if all("names" in body for side in (before, after) for body in side.values()):
            words[name] = frozenset(_lost(before, after, differing))
    return words, frozenset(changed)


def _outlines(found: Fingerprint) -> dict[str, Mapping[str, Attributes]]:
    """Distribution -> module -> its outline; one that several environments have, or that was not read, is left out."""
    told: dict[str, Mapping[str, Attributes]] = {}
    several: set[str] = set()
    for path, section in found.sections.items():
        if path.startswith("outline/"):
            name = path.removeprefix("outline/").rpartition("-")[0]
            several |= {name} & told.keys()
            told[name] = section.items if section.status == Status.OK else {}
    return {name: items for name, items in told.items() if items and name not in several}


def _lost(before: Mapping[str, Attributes], after: Mapping[str, Attributes], differing: Set[str]) -> set[str]:
    """The names that modules had, or had in another form; of a method without a name, those of what is made by it."""
    lost: set[str] = set()
    made: set[str] = set()
    for module in differing & before.keys():
        if module not in after:
            lost |= {module, module.rpartition(".")[2]}
            continue
        lines = as_texts(before[module].get("names"))
        gone = {_name(line) for line in set(lines).difference(as_texts(after[module].get("names")))}
        lost |= gone - _UNNAMED
        if not gone.isdisjoint(_UNNAMED):
            made |= {_name(line) for line in lines if line.startswith("class ")}
    return lost | _with_subclasses(made, before)


def _with_subclasses(classes: set[str], modules: Mapping[str, Attributes]) -> set[str]:
    """Some classes, and all that derive from classes of their names."""
    if not classes:
        return set()
    bases = {
        _name(line): set(re.findall(r"\w+", line.partition("(")[2]))
        for body in modules.values()
        for line in as_texts(body.get("names"))
        if line.startswith("class ")
    }
    found, more = set(classes), set(classes)
    while more:
        more = {name for name, told in bases.items() if not more.isdisjoint(told)} - found
        found |= more
    return found


def _name(line: str) -> str:
    """The name that a line of an outline tells."""
    return line.removeprefix("class ").partition("(")[0].partition(" ")[0]


def _is_read_here(text: str) -> bool:
    kind, separator, _ = text.partition(":")
    named = text == "local" or bool(separator and kind in ("root", "container", "image"))
    return named or os.path.isdir(text)


def _used(application: Section | None) -> Iterator[str]:
    """The uses of the application."""
    for body in application.items.values() if application else ():
        yield from as_texts(body.get("uses"))


def source(directory: str, options: Options) -> Section:
    """The symbols of an application's own modules, below a directory; raises UsageError where that is none."""
    if not os.path.isdir(directory):
        raise UsageError(f"{directory} is no directory", "name the directory of the application's source")
    options.progress(f"reading {directory}")
    items: dict[str, Attributes] = {}
    reasons: set[str] = set()
    left = MAX_SOURCES
    with Root(directory) as root:
        for file in sorted(_files(directory)):
            if len(items) >= MAX_ITEMS:
                reasons.add(Reason.CAP)
                break
            try:
                content = root.read(file, min(MAX_SOURCE, left))
            except Unreadable as problem:
                reasons.add(problem.reason)
                continue
            left -= len(content)
            told = parsed(content, _module(file), is_package(f"/{file}"), whole=True)
            items[file] = {**told, **_named(content)}
    if not items and not reasons:
        raise CannotTell(f"{directory} holds no Python source")
    status = Status.PARTIAL if reasons else Status.OK
    return within_contract(Section(APPLICATION, "symbols", SCHEMA, items, status, tuple(sorted(reasons))))


def _named(content: bytes) -> Attributes:
    """The short texts that a source has in quotes, and its fields: names of settings, files, libraries."""
    found = sorted({one.decode() for one in _TEXT.findall(content)} | {one.decode() for one in _FIELD.findall(content)})
    return {"texts": tuple(found[:_MOST_TEXTS])} if found else {}


def _files(directory: str) -> Iterator[str]:
    """The sources below a directory; an environment that lies in it is not the application."""
    for folder, folders, files in os.walk(directory):
        if "pyvenv.cfg" in files:
            folders.clear()
            continue
        folders[:] = sorted(one for one in folders if not one.startswith(".") and one not in _NOT_OF_THE_APPLICATION)
        yield from (os.path.relpath(os.path.join(folder, one), directory) for one in files if one.endswith(".py"))


def _module(file: str) -> str:
    """The module that a file is, where its directory is on the path."""
    return file.removesuffix(".py").removesuffix("/__init__").replace(os.sep, ".")
