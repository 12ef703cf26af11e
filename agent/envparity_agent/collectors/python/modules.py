"""Tells which modules a distribution has, and in which files, from the rows of its RECORD."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from envparity_agent.collectors.interface import Subject
from envparity_agent.collectors.paths import join
from envparity_agent.collectors.python.distributions import Distribution
from envparity_agent.collectors.python.record import MAX_RECORD
from envparity_agent.root import MIB

MAX_SOURCE = MIB // 2

TESTS = re.compile(r"\.(?:conftest|tests?)(?:\.|$)|\.test_\w+$", re.ASCII)  # what nobody imports who runs it

# a source, a stub or a binary that imports from a site directory: no name of it is one that a table has to quote
_ROW = re.compile(
    rb'\n"?((?:[A-Za-z_]\w*+[/\\])*+[A-Za-z_]\w*+)\.(pyi?|(?:[\w-]+\.)*so)"?(?:,([^,\r\n]*))?(?=[,\r\n]|$)'
)
_RANKS = {b"py": 0, b"pyi": 1}


class ModuleFile(NamedTuple):
    """Where a module is."""

    path: str  # below the site directory
    hash: str  # as RECORD has it

    @property
    def is_source(self) -> bool:
        """Whether it runs, and can be read: no stub and no binary."""
        return self.path.endswith(".py")

    @property
    def is_binary(self) -> bool:
        """Whether it is compiled."""
        return self.path.endswith(".so")


def section_path(distribution: Distribution) -> str | None:
    """Where the symbols of a distribution stand in a fingerprint; None where it has no content id."""
    content = str(distribution.attributes.get("content") or "").removeprefix("sha256:")
    if not content or not distribution.name or distribution.source is not None:
        return None
    return f"symbols/{distribution.name}-{content[:12]}"


def modules_of(subject: Subject, distribution: Distribution) -> Mapping[str, ModuleFile]:
    """The modules of a distribution by their names; raises Unreadable. Equal content is read once."""
    path = section_path(distribution)
    return subject.memory.recall(
        ("modules", path), path, lambda: modules(subject.root.read(distribution.record or "", MAX_RECORD))
    )


def modules(record: bytes) -> dict[str, ModuleFile]:
    """Module -> its file: a source before a stub, that before a binary."""
    found: dict[str, tuple[int, str, str]] = {}
    for stem, suffix, hash in _ROW.findall(b"\n" + record):
        path = stem.decode().replace("\\", "/")
        module = path.replace("/", ".").removesuffix(".__init__")
        told = (_RANKS.get(suffix, 2), f"{path}.{suffix.decode()}", hash.decode("utf-8", "replace"))
        found[module] = min(found.get(module, told), told)
    return {module: ModuleFile(*rest) for module, (_, *rest) in sorted(found.items())}


def source_of(subject: Subject, distribution: Distribution, file: ModuleFile, most: int = MAX_SOURCE) -> bytes:
    """The content of a module's file; raises Unreadable."""
    return subject.root.read(join(distribution.site, file.path), most)


def is_package(file: str) -> bool:
    """Whether a module's file is that of a package, which relative imports start from."""
    return file.endswith(("/__init__.py", "/__init__.pyi"))
