"""Tells the names that a distribution's modules define and use, parsed from its sources and never imported.

`names` are written as `names.py` says, `uses` as `uses.py` says. A module whose source cannot be read, such as a
compiled one, has neither; one with `__getattr__(name)` may have more names than it tells.
"""

import ast
import csv
import gc
import re
import warnings
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice

from envparity_agent.collectors.interface import Subject
from envparity_agent.collectors.paths import join
from envparity_agent.collectors.python.distributions import Distribution
from envparity_agent.collectors.python.names import MAX_NAMES, names
from envparity_agent.collectors.python.record import MAX_RECORD, rows
from envparity_agent.collectors.python.uses import MAX_USES, uses
from envparity_agent.collectors.reads import SITES, Reads
from envparity_agent.errors import Unreadable
from envparity_agent.fingerprint import MAX_ITEMS, Attributes, Reason, Section, Status, Value
from envparity_agent.root import MIB, Root

READS = Reads(deep=(rf"{SITES}.*+(?<=\.py)",))

SCHEMA = 2
MAX_SOURCE = MIB // 2
MAX_SOURCES = 64 * MIB  # of one distribution

TESTS = re.compile(r"\.(?:conftest|tests?)(?:\.|$)|\.test_\w+$", re.ASCII)  # what nobody imports who runs it

_MODULE = re.compile(r"^((?:[A-Za-z_]\w*/)*[A-Za-z_]\w*)\.(pyi?|(?:[\w-]+\.)*so)$", re.ASCII)
_FOREIGN = re.compile(r"\.(?:dist-info|data|libs)/")

# what gives a module names that are not written in it
_MAKES_NAMES = re.compile(rb"\b(?:globals|vars|locals)\(\)|\bsys\.modules\[|\bexec\(")


def symbols(subject: Subject, distribution: Distribution) -> Section | None:
    """The section `symbols/NAME-CONTENT` of a distribution: an item for each module; None where it has no content id.

    An editable one has no id of what imports. Equal content has equal names: a resident agent reads it once, and a
    server keeps it once for a fleet.
    """
    path = section_path(distribution)
    if path is None:
        return None
    try:
        return subject.memory.recall(("symbols", path), path, lambda: _section(subject.root, distribution, path))
    except (Unreadable, csv.Error) as problem:
        reason = problem.reason if isinstance(problem, Unreadable) else Reason.INVALID
        return Section(path, "symbols", SCHEMA, status=Status.FAILED, reasons=(reason,))


def section_path(distribution: Distribution) -> str | None:
    """Where the symbols of a distribution stand in a fingerprint; None where it has no content id."""
    content = str(distribution.attributes.get("content") or "").removeprefix("sha256:")
    if not content or not distribution.name or distribution.source is not None:
        return None
    return f"symbols/{distribution.name}-{content[:12]}"


def _section(root: Root, distribution: Distribution, path: str) -> Section:
    items: dict[str, Attributes] = {}
    reasons: set[str] = set()
    left = MAX_SOURCES
    found = modules(root, distribution)
    if len(found) > MAX_ITEMS:
        reasons.add(Reason.CAP)
    for module, file in islice(found.items(), MAX_ITEMS):
        items[module] = {}
        if file.endswith(".so"):
            continue
        try:
            source = root.read(join(distribution.site, file), min(MAX_SOURCE, left))
        except Unreadable as problem:
            reasons.add(problem.reason)
            continue
        left -= len(source)
        items[module] = parsed(source, module, is_package(file))
        if is_cut(items[module]):
            reasons.add(Reason.CAP)
    status = Status.PARTIAL if reasons else Status.OK
    return Section(path, "symbols", SCHEMA, items, status, tuple(sorted(reasons)))


def modules(root: Root, distribution: Distribution) -> dict[str, str]:
    """Module -> its file below the site directory; raises Unreadable, and csv.Error where RECORD is no table."""
    return module_files(row.path for row in rows(root.read(distribution.record or "", MAX_RECORD)))


def is_package(file: str) -> bool:
    """Whether a module's file is that of a package, which relative imports start from."""
    return file.endswith(("/__init__.py", "/__init__.pyi"))


def is_cut(attributes: Attributes) -> bool:
    """Whether a module has more names or uses than are told."""
    defined, used = attributes.get("names"), attributes.get("uses")
    return (isinstance(defined, tuple) and len(defined) >= MAX_NAMES) or (
        isinstance(used, tuple) and len(used) >= MAX_USES
    )


def module_files(paths: Iterable[str]) -> dict[str, str]:
    """Module -> its file, for what imports from a site directory: a source before a stub, that before a binary."""
    found: dict[str, tuple[int, str]] = {}
    for path in paths:
        match = _MODULE.match(path)
        if match is None or _FOREIGN.search(path):
            continue
        module = match.group(1).replace("/", ".").removesuffix(".__init__")
        rank = ("py", "pyi").index(match.group(2)) if match.group(2) in ("py", "pyi") else 2
        found[module] = min(found.get(module, (3, "")), (rank, path))
    return {module: file for module, (_, file) in sorted(found.items())}


@contextmanager
def _uncollected() -> Iterator[None]:
    """Without the garbage collector, which looks at every new node of a tree in vain: parsing takes a third then."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


@_uncollected()
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
        made = {"* < …"} if _MAKES_NAMES.search(source) else set()
        found["names"] = tuple(sorted(names(tree, module, package) | made))
    used = uses(tree, module, package, whole) if "uses" in wanted else ()
    return found | ({"uses": used} if used else {})
