"""Tells on which lines the modules of distributions define names: enough to see which names two sides do not share.

Found by patterns in the text, at a tenth of what parsing takes; what is looked at more closely is up to who asks.

    LIMIT                     a variable, an attribute, or an import
    get 5f0c0ad1              a function, and a digest of its parameters: of their names, and which have a default
    class Client(Base,ABC)    a class and its bases

A module that makes names as it runs has its texts for names as well.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from zlib import crc32

from envparity_agent.collectors.interface import Outline, Subject
from envparity_agent.collectors.python.distributions import Distribution
from envparity_agent.collectors.python.importers import importers
from envparity_agent.collectors.python.modules import ModuleFile, modules_of, section_path, source_of
from envparity_agent.collectors.python.names import MAX_NAMES
from envparity_agent.collectors.python.symbols import MAKES_NAMES, SCHEMA
from envparity_agent.errors import Unreadable
from envparity_agent.fingerprint import MAX_ITEMS, Attributes, Section, Status

MODULES_FOR_EACH = 20  # modules of a package that take as long as one that imports it takes to parse

# each begins with a character that is searched for at once: `^` would be tried at every place
_DEFINES = re.compile(
    rb"\n(?:([ \t]*+)(?:"
    rb"(?:async[ \t]+)?def[ \t]+(\w+)[ \t]*(\((?:[^()]++|\([^()]*+\))*+)"
    rb"|class[ \t]+(\w+)[ \t]*(?:(\([^)]*)|:)"
    rb"|from[ \t]+[.\w]+[ \t]+import[ \t]*(\([^)]*|[^\n(]*)"
    rb"|import[ \t]+([^\n]*))"
    rb"|([ ]{4}|\t)?(?:if|else|elif|try|except|finally|with|for|while)\b"
    rb"|([ ]{4}|\t)?([A-Za-z_]\w*+)[ \t]*+(?::[^=\n]+)?=(?!=))"
)
_ATTRIBUTE = re.compile(rb"self\.([A-Za-z_]\w*+)[ \t]*+(?::[^=\n]+)?=(?!=)")
_SUBSCRIPT = re.compile(rb"\[[^\[\]]*\]")
_PARAMETER = re.compile(rb"[(,]\s*(\*{0,2}\w+|[*/])[^,=]*(=?)")
_COMMENT = re.compile(rb"#[^\n]*")
_NAME = re.compile(rb"[A-Za-z_]\w*")
_OF_IMPORTS = frozenset({b"as", b"import"})
_LISTED = re.compile(rb"__all__[^\[(\n]*[\[(]([^\])]*)")
_OWN_TESTS = re.compile(r"\.(?:conftest|tests)(?:\.|$)|\.test_\w+$", re.ASCII)  # with `werkzeug.test` others test
_TEXT = re.compile(rb"""["']([A-Za-z_]\w*)["']""")


def outlines(subject: Subject, distributions: Sequence[Distribution], asked: Outline) -> Iterator[Section]:
    """A section `outline/NAME-CONTENT` for each distribution that is asked about: module -> its hash and its lines.

    Of a package that no other one imports no lines are told: nobody there can miss a name of it. Neither are they of a
    large one that few modules import: to parse these takes less time than to look at all of it.
    """
    told = [one for one in distributions if one.name in asked.distributions]
    subject.progress(f"looking for what imports {len(told)} distributions")
    imported = Counter(top for one in importers(subject, distributions, told) for top in one.tops)
    for one in told:
        path = section_path(one)
        if path is None:
            continue
        path = path.replace("symbols/", "outline/", 1)
        try:
            yield Section(path, "symbols", SCHEMA, _modules(subject, one, imported))
        except Unreadable as problem:
            yield Section(path, "symbols", SCHEMA, status=Status.FAILED, reasons=(problem.reason,))


def _modules(subject: Subject, distribution: Distribution, imported: Mapping[str, int]) -> dict[str, Attributes]:
    files = dict(islice(modules_of(subject, distribution).items(), MAX_ITEMS))
    told = {module: file for module, file in files.items() if not _OWN_TESTS.search(module)}
    sizes = Counter(module.partition(".")[0] for module in told)
    worth = {top for top, size in sizes.items() if size <= MODULES_FOR_EACH * imported.get(top, 0)}
    needed = {module: file for module, file in told.items() if module.partition(".")[0] in worth}
    lines = subject.memory.recall_all([  # files that both sides have are looked at once
        (("outline", distribution.name, file.path), file.hash or None, partial(_lines, subject, distribution, file))
        for file in needed.values()
    ])  # fmt: skip
    names = {module: {"names": found} for module, found in zip(needed, lines, strict=True)}
    return {module: {"hash": file.hash, **names.get(module, {})} for module, file in told.items()}


def _lines(subject: Subject, distribution: Distribution, file: ModuleFile) -> tuple[str, ...]:
    try:
        return outline(source_of(subject, distribution, file)) if file.is_source else ()
    except Unreadable:
        return ()  # its symbols are told as unread when they are asked for


def outline(source: bytes) -> tuple[str, ...]:
    """The lines of a source, sorted."""
    found = set(islice(_found(source), MAX_NAMES))
    makes_names = any(mark in source for mark in (b"def __getattr__", *MAKES_NAMES))
    texts = [source] if makes_names else _LISTED.findall(source)
    found.update(match.decode() for text in texts for match in _TEXT.findall(text))
    return tuple(sorted(found))


def _found(source: bytes) -> Iterator[str]:
    local: int | None = None  # how far the function is indented whose names are its own
    for match in _DEFINES.finditer(b"\n" + source):
        indent, function, parameters, cls, bases, imported, modules, block, inner, variable = match.groups()
        depth = len(indent or block or inner or b"")
        if local is not None and depth > local:
            continue
        local = depth if function else None
        if function:
            yield f"{function.decode()} {_digest(parameters):08x}"
        elif cls:
            yield f"class {cls.decode()}{b''.join((bases or b'(').split()).decode('utf-8', 'replace')})"
        elif variable:
            yield variable.decode()
        elif imported or modules:
            names = _NAME.findall(_COMMENT.sub(b"", imported or modules))
            yield from (name.decode() for name in names if name not in _OF_IMPORTS)
    yield from (name.decode() for name in _ATTRIBUTE.findall(source))


def _digest(parameters: bytes) -> int:
    """A number for the names of parameters, and which of them have a default: what a call may break by."""
    plain = _SUBSCRIPT.sub(b"", _SUBSCRIPT.sub(b"", parameters))  # of annotations, with commas of their own
    return crc32(b",".join(name + default for name, default in _PARAMETER.findall(plain)))
