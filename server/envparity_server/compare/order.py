"""Which version is newer, by each ecosystem's own order: keys to sort by; what is no version there has no place."""

import re
from typing import Any

from packaging.version import InvalidVersion, Version

from envparity_agent.fingerprint import Attributes

_PYTHON = frozenset({"python", "declared"})
_SEGMENT = re.compile(r"\d+|[A-Za-z]+|[~^]")


def place_of_version(kind: str, item: Attributes) -> Any | None:
    """A key for the version of an item, to be compared with those of the same item; None where nothing orders it.

    Python by PEP 440, OS packages by what their manager does; a kind of which no order is known has none.
    """
    version = item.get("version")
    if not isinstance(version, str):
        return None
    if kind in _PYTHON:
        try:
            return Version(version)
        except (InvalidVersion, ValueError):  # ValueError: more digits than int() takes
            return None
    by_manager = {"deb": _debian, "rpm": _rpm}.get(str(item.get("manager"))) if kind == "os-packages" else None
    return by_manager(version) if by_manager and not re.search(r"\d{4000}", version) else None


def _parts(text: str) -> tuple[int, str, str]:
    """Epoch, upstream's version, revision."""
    epoch, colon, rest = text.partition(":")
    if not colon or not epoch.isdecimal():
        epoch, rest = "0", text
    upstream, dash, revision = rest.rpartition("-")
    return int(epoch), upstream if dash else rest, revision if dash else "0"


def _debian(text: str) -> Any:
    """https://www.debian.org/doc/debian-policy/ch-controlfields.html#version ."""
    epoch, upstream, revision = _parts(text)
    return epoch, _debian_part(upstream), _debian_part(revision)


def _debian_part(text: str) -> tuple[tuple[tuple[int, ...], int], ...]:
    """Runs of what are no digits, each with the number after it; the end sorts after ~ and before everything else."""
    runs = [(before, number) for before, number in re.findall(r"([^0-9]*)([0-9]*)", text) if before or number]
    return (*(((*map(_letter, before), 0), int(number or 0)) for before, number in runs), ((0,), 0))


def _letter(letter: str) -> int:
    """Where a letter sorts: ~ before the end, which is 0, letters before all other signs."""
    if letter == "~":
        return -1
    return ord(letter) if letter.isalpha() else ord(letter) + 0x110000


def _rpm(text: str) -> Any:
    """https://rpm-software-management.github.io/rpm/manual/dependencies.html#versioning ."""
    epoch, upstream, revision = _parts(text)
    return epoch, _rpm_part(upstream), _rpm_part(revision)


def _rpm_part(text: str) -> tuple[tuple[int, str, int], ...]:
    """Segments of digits or letters: ~ sorts before the end, ^ right after it, then letters, then numbers."""
    ranks = {"~": 0, "^": 2}
    found = [
        (ranks[one], "", 0) if one in ranks else (4, "", int(one)) if one.isdigit() else (3, one, 0)
        for one in _SEGMENT.findall(text)
    ]
    return (*found, (1, "", 0))
