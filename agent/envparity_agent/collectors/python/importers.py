"""Finds who imports some packages, and which of their names it may use, in the bytes of the sources: none is parsed."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from packaging.utils import canonicalize_name

from envparity_agent.collectors.interface import Subject
from envparity_agent.collectors.python.distributions import Distribution
from envparity_agent.collectors.python.modules import TESTS, ModuleFile, modules_of, section_path, source_of
from envparity_agent.errors import Unreadable
from envparity_agent.fingerprint import as_texts

MAX_READ = 64_000_000  # bytes of sources
_AT_ONCE = 32  # distributions

_REQUIRED = re.compile(r"[A-Za-z0-9][\w.-]*", re.ASCII)
_MODULE = re.compile(rb"[A-Za-z_][\w.]*+")
_WORD = re.compile(rb"[A-Za-z_]\w*+")
_ATTRIBUTE = re.compile(rb"\.\s*+([A-Za-z_]\w*+)|\n[ \t]*+(?:from|import)[ \t][^\n]*")  # none of those is in an import


class Importer(NamedTuple):
    """A module that imports some of the packages from another one."""

    module: str
    tops: frozenset[str]  # the packages
    imported: frozenset[str]  # their modules, and what it imports of these
    words: frozenset[str]  # these, and all attributes: it uses no other names


def importers(
    subject: Subject, distributions: Sequence[Distribution], imported: Sequence[Distribution]
) -> Iterator[Importer]:
    """The modules that import those of some distributions from another package; tests are left out.

    Of very many sources those come first whose distribution says that it requires what is imported.
    """
    tops = tops_of(subject, imported)
    if not tops:
        return
    names = {one.name for one in imported}
    left = MAX_READ
    ordered = sorted(distributions, key=lambda one: (not required(one) & names, one.place))
    for start in range(0, len(ordered), _AT_ONCE):
        # what both sides have is looked at once
        asked = [
            (("importers", path), (path, tops), partial(_importers, subject, one, tops))
            for one in ordered[start : start + _AT_ONCE]
            if (path := section_path(one))
        ]
        for found, size in subject.memory.recall_all(asked):
            yield from found
            left -= size
            if left < 0:
                return


def tops_of(subject: Subject, distributions: Iterable[Distribution]) -> frozenset[str]:
    """The top-level packages and modules of distributions, as far as they can be read."""
    return frozenset(module.partition(".")[0] for one in distributions for module in _modules(subject, one))


def _modules(subject: Subject, distribution: Distribution) -> Mapping[str, ModuleFile]:
    try:
        return modules_of(subject, distribution) if section_path(distribution) else {}
    except Unreadable:
        return {}


def _importers(subject: Subject, distribution: Distribution, tops: frozenset[str]) -> tuple[list[Importer], int]:
    """Those of a distribution's modules that import one of the packages, and how many bytes were read."""
    importing = _importing(tops)
    found, size = [], 0
    for module, file in _modules(subject, distribution).items():
        if not file.is_source or TESTS.search(module):
            continue
        try:
            source = source_of(subject, distribution, file)
        except Unreadable:
            continue  # where its symbols are asked for, it is said
        size += len(source)
        source = b"\n" + source
        imported = importing.findall(source)
        used = frozenset(word.decode() for line in imported for word in _MODULE.findall(b" ".join(line)))
        theirs = tops.intersection(word.partition(".")[0] for word in used) - {module.partition(".")[0]}
        if theirs:
            every = any(b"*" in names for _, names, _ in imported)
            words = (_WORD if every else _ATTRIBUTE).findall(source)
            found.append(Importer(module, theirs, used, used | theirs | {word.decode() for word in words}))
    return found, size


def _importing(tops: Iterable[str]) -> re.Pattern[bytes]:
    """What finds the imports of some packages in a source that begins with an empty line: package, names; modules.

    It begins with a character that is searched for at once: `^` would be tried at every place.
    """
    names = "|".join(sorted(map(re.escape, tops)))
    pattern = (
        rf"\n[ \t]*+(?:from[ \t]++((?:{names})\b[.\w]*+)[ \t]++import[ \t]*+(\([^)]*+|(?:[^\n\\]|\\\r?\n)*+)"
        rf"|import[ \t]([^\n]*\b(?:{names})\b[^\n]*))"
    )
    return re.compile(pattern.encode())


def required(distribution: Distribution) -> set[str]:
    """The names of what a distribution requires, in any of its extras."""
    found = map(_REQUIRED.match, as_texts(distribution.attributes.get("requires")))
    return {canonicalize_name(match[0]) for match in found if match}
