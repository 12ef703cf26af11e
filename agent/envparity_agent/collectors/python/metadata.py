"""Reads the headers of METADATA and PKG-INFO, in one pass and no further than to the description.

https://packaging.python.org/en/latest/specifications/core-metadata/
"""

from dataclasses import dataclass
from itertools import accumulate

from envparity_agent.fingerprint import Value
from envparity_agent.root import MIB

MAX_METADATA = 4 * MIB
MAX_REQUIREMENTS = 2000  # large distributions with many extras have some hundred
MAX_REQUIREMENT = 1024  # characters; a longer one is cut, and so is none any more
MAX_REQUIRED = 128 * 1024  # characters of all requirements of one distribution; the largest known have half of it

_BEGINNINGS = frozenset("NnRrVv")  # spares most lines the rest
_SINGLE = frozenset({"name", "version", "requires-python"})


@dataclass(frozen=True)
class Headers:
    """What the header block says; empty texts where it does not."""

    name: str = ""
    version: str = ""
    requires_python: str = ""
    requires: tuple[str, ...] = ()  # Requires-Dist as written, in order

    def facts(self) -> dict[str, Value]:
        """Those that a fingerprint tells of a distribution as they are."""
        told: dict[str, Value] = {
            "version": self.version,
            "requires_python": self.requires_python,
            "requires": self.requires,
        }
        return {name: value for name, value in told.items() if value}


def read_headers(content: bytes) -> Headers:
    """The wanted headers; of one that may occur once, the first value. Bytes that are no text become their escapes."""
    single: dict[str, str] = {}
    requires: list[str] = []
    for line in _header_block(content).split("\n"):
        if line[:1] not in _BEGINNINGS:
            continue
        key, separator, value = line.partition(":")
        key = key.lower() if separator else ""
        if key in _SINGLE:
            single.setdefault(key, value.strip())
        elif key == "requires-dist" and len(requires) < MAX_REQUIREMENTS:
            requires.append(value.strip()[:MAX_REQUIREMENT])
    return Headers(
        name=single.get("name", ""),
        version=single.get("version", ""),
        requires_python=single.get("requires-python", ""),
        requires=_within_cap(requires),
    )


def _within_cap(requirements: list[str]) -> tuple[str, ...]:
    """The first ones, as many as a distribution may have: what is kept of thousands of them adds up."""
    lengths = accumulate(map(len, requirements))
    return tuple(one for one, length in zip(requirements, lengths, strict=True) if length <= MAX_REQUIRED)


def _header_block(content: bytes) -> str:
    ends = [end for end in (content.find(b"\n\n"), content.find(b"\n\r\n")) if end >= 0]
    block = content[: min(ends)] if ends else content
    return (block.replace(b"\r", b"\n") if b"\r" in block else block).decode("utf-8", "backslashreplace")


def egg_requirements(content: bytes) -> tuple[str, ...]:
    """The requires.txt of an egg, in the form of Requires-Dist; its sections are `[extra]`, `[:marker]` or both.

    https://setuptools.pypa.io/en/latest/deprecated/python_eggs.html#requires-txt
    """
    found: list[str] = []
    conditions: list[str] = []
    for line in map(str.strip, content.decode("utf-8", "backslashreplace").split("\n")):
        if line.startswith("[") and line.endswith("]"):
            extra, _, marker = line[1:-1].partition(":")
            conditions = [f"({marker.strip()})"] if marker.strip() else []
            conditions += [f'extra == "{extra.strip()}"'] if extra.strip() else []
        elif line and not line.startswith("#") and len(found) < MAX_REQUIREMENTS:
            requirement = f"{line} ; {' and '.join(conditions)}" if conditions else line
            found.append(requirement[:MAX_REQUIREMENT])
    return _within_cap(found)
