"""Tells the names that a distribution's modules define and use, parsed from its sources and never imported.

`names` are written as `names.py` says, `uses` as `uses.py` says. A module whose source cannot be read, such as a
compiled one, has neither; one with `__getattr__(name)` may have more names than it tells.
"""

import ast
import gc
import re
import warnings
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from itertools import islice

from envparity_agent.collectors.interface import Subject
from envparity_agent.collectors.python.distributions import Distribution
from envparity_agent.collectors.python.modules import MAX_SOURCE, is_package, modules_of, section_path, source_of
from envparity_agent.collectors.python.names import MAX_NAMES, names
from envparity_agent.collectors.python.uses import MAX_USES, uses
from envparity_agent.collectors.reads import SITES, Reads
from envparity_agent.errors import Unreadable
from envparity_agent.fingerprint import MAX_ITEMS, Attributes, Reason, Section, Status, Value
from envparity_agent.root import MIB

READS = Reads(deep=(rf"{SITES}.*+(?<=\.py)",))

SCHEMA = 2
MAX_SOURCES = 64 * MIB  # of one distribution

# what gives a module names that are not written in it
MAKES_NAMES = (b"globals()", b"vars()", b"locals()", b"sys.modules[")
_EXECUTES = re.compile(rb"\bexec\(")


def symbols(subject: Subject, distribution: Distribution) -> Section | None:
    """The section `symbols/NAME-CONTENT` of a distribution: an item for each module; None where it has no content id.

    An editable one has no id of what imports. Equal content has equal names: a resident agent reads it once, and a
    server keeps it once for a fleet.
    """
    path = section_path(distribution)
    if path is None:
        return None
    try:
        return subject.memory.recall(("symbols", path), path, lambda: _section(subject, distribution, path))
    except Unreadable as problem:
        return Section(path, "symbols", SCHEMA, status=Status.FAILED, reasons=(problem.reason,))


def _section(subject: Subject, distribution: Distribution, path: str) -> Section:
    items: dict[str, Attributes] = {}
    reasons: set[str] = set()
    left = MAX_SOURCES
    found = modules_of(subject, distribution)
    if len(found) > MAX_ITEMS:
        reasons.add(Reason.CAP)
    for module, file in islice(found.items(), MAX_ITEMS):
        items[module] = {}
        if file.is_binary:
            continue
        try:
            source = source_of(subject, distribution, file, min(MAX_SOURCE, left))
        except Unreadable as problem:
            reasons.add(problem.reason)
            continue
        left -= len(source)
        items[module] = parsed(source, module, is_package(file.path))
        if is_cut(items[module]):
            reasons.add(Reason.CAP)
    status = Status.PARTIAL if reasons else Status.OK
    return Section(path, "symbols", SCHEMA, items, status, tuple(sorted(reasons)))


def is_cut(attributes: Attributes) -> bool:
    """Whether a module has more names or uses than are told."""
    defined, used = attributes.get("names"), attributes.get("uses")
    return (isinstance(defined, tuple) and len(defined) >= MAX_NAMES) or (
        isinstance(used, tuple) and len(used) >= MAX_USES
    )


def _makes_names(source: bytes) -> bool:
    return any(mark in source for mark in MAKES_NAMES) or bool(b"exec(" in source and _EXECUTES.search(source))


@contextmanager
def uncollected() -> Iterator[None]:
    """Without the garbage collector, which looks at every new object in vain: parsing takes a third then."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


@uncollected()
def parsed(
    source: bytes, module: str, package: bool, whole: bool = False, wanted: Collection[str] = ("names", "uses")
) -> Attributes:
    """What a module defines and uses; nothing where its source does not parse as the Python that runs this.

    `whole` tells as well what it uses of the package that it is in.
    """
    try:
        with warnings.catch_warnings():  # of the source's, which is not ours to correct
            warnings.simplefilter("ignore")
            tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # ValueError: a NUL
        return {}
    found: dict[str, Value] = {}
    if "names" in wanted:
        made = {"* < …"} if _makes_names(source) else set()
        found["names"] = tuple(sorted(names(tree, module, package) | made))
    used = uses(tree, module, package, whole) if "uses" in wanted else ()
    return found | ({"uses": used} if used else {})
