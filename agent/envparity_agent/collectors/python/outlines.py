"""Tells on which lines the modules of distributions define names: enough to see which names two sides do not share.

Found by patterns in the text, at a tenth of what parsing takes; what is looked at more closely is up to who asks.
A line is `NAME DIGEST`, of the text that defines it: a signature, the bases of a class; `NAME` alone for a variable or
an import. A module that makes names as it runs has its texts for names as well.
"""

import csv
import re
from collections.abc import Iterator, Sequence
from itertools import islice
from zlib import crc32

from envparity_agent.collectors.interface import Outline, Subject
from envparity_agent.collectors.paths import join
from envparity_agent.collectors.python.distributions import Distribution
from envparity_agent.collectors.python.names import MAX_NAMES
from envparity_agent.collectors.python.record import MAX_RECORD, rows
from envparity_agent.collectors.python.symbols import MAX_SOURCE, SCHEMA, TESTS, module_files, section_path
from envparity_agent.errors import Unreadable
from envparity_agent.fingerprint import MAX_ITEMS, Attributes, Reason, Section, Status

# each begins with a character that is searched for at once: `^` would be tried at every place
_DEFINES = re.compile(
    rb"\n(?:[ \t]*(?:"
    rb"(?:async[ \t]+)?def[ \t]+(\w+)[ \t]*(\([^)]*)"
    rb"|class[ \t]+(\w+)[ \t]*(\([^)]*|:)"
    rb"|from[ \t]+[.\w]+[ \t]+import[ \t]*(\([^)]*|[^\n(]*)"
    rb"|import[ \t]+([^\n]*))"
    rb"|(?:[ ]{4}|\t)?([A-Za-z_]\w*)[ \t]*(?::[^=\n]+)?=(?!=))"
)
_ATTRIBUTE = re.compile(rb"self\.([A-Za-z_]\w*)[ \t]*(?::[^=\n]+)?=(?!=)")
_MAKES_NAMES = re.compile(rb"__all__|def __getattr__|\b(?:globals|vars|locals)\(\)|sys\.modules\[")
_NAME = re.compile(rb"[A-Za-z_]\w*")
_TEXT = re.compile(rb"""["']([A-Za-z_]\w*)["']""")


def outlines(subject: Subject, distributions: Sequence[Distribution], asked: Outline) -> Iterator[Section]:
    """A section `outline/NAME-CONTENT` for each distribution that is asked about: module -> its hash and its lines."""
    for one in distributions:
        path = section_path(one)
        if path is None or one.name not in asked.distributions:
            continue
        path = path.replace("symbols/", "outline/", 1)
        try:
            yield Section(path, "symbols", SCHEMA, _modules(subject, one))
        except (Unreadable, csv.Error) as problem:
            reason = problem.reason if isinstance(problem, Unreadable) else Reason.INVALID
            yield Section(path, "symbols", SCHEMA, status=Status.FAILED, reasons=(reason,))


def _modules(subject: Subject, distribution: Distribution) -> dict[str, Attributes]:
    hashes = {row.path: row.hash for row in rows(subject.root.read(distribution.record or "", MAX_RECORD))}
    found: dict[str, Attributes] = {}
    for module, file in islice(module_files(hashes).items(), MAX_ITEMS):
        if TESTS.search(module):
            continue
        lines: tuple[str, ...] = ()
        if file.endswith(".py"):
            # files that both sides have are looked at once
            lines = subject.memory.recall(
                ("outline", distribution.name, file),
                hashes[file] or None,
                lambda file=file: _lines(subject, join(distribution.site, file)),  # type: ignore[misc]  # bound for now
            )
        found[module] = {"hash": hashes[file], "names": lines}
    return found


def _lines(subject: Subject, file: str) -> tuple[str, ...]:
    try:
        return outline(subject.root.read(file, MAX_SOURCE))
    except Unreadable:
        return ()  # its symbols are told as unread when they are asked for


def outline(source: bytes) -> tuple[str, ...]:
    """The lines of a source, sorted."""
    found = set(islice(_found(source), MAX_NAMES))
    if _MAKES_NAMES.search(source):
        found.update(match.decode() for match in _TEXT.findall(source))
    return tuple(sorted(found))


def _found(source: bytes) -> Iterator[str]:
    for function, signature, cls, bases, imported, modules, variable in _DEFINES.findall(b"\n" + source):
        if function or cls:
            text = b"".join((signature or bases).split())
            yield f"{(function or cls).decode()} {crc32(text):08x}"
        elif variable:
            yield variable.decode()
        else:
            yield from (name.decode() for name in _NAME.findall(imported or modules))
    yield from (name.decode() for name in _ATTRIBUTE.findall(source))
