"""The words of a reproduction: its files, what they lack, and the parts that a Dockerfile is put together from."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

# items of gaps that no fingerprint has: they speak of a section in one respect, and never of all its items
ARCHIVES_ITEM = "@archives"  # which archives the distributions were installed from
FILES_ITEM = "@files"  # whether files were changed after the installation
UNREAD_ITEM = "@unread"  # what of the section could not be read
PYLOCK_ITEM = "@pylock"  # what a pylock.toml cannot hold


class Gap(NamedTuple):
    """What is not reproduced; an empty item stands for the whole section."""

    section: str
    item: str
    why: str

    def document(self) -> dict[str, str | None]:
        """The gap as `reproduce --json` has it."""
        return {"section": self.section, "item": self.item or None, "why": self.why}


@dataclass(frozen=True)
class Part:
    """What one aspect of a target adds: instructions of the Dockerfile, files beside it, and gaps."""

    lines: tuple[str, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    gaps: tuple[Gap, ...] = ()


@dataclass(frozen=True)
class Reproduction:
    """The files that rebuild a target, by their names, and all that they do not reproduce, sorted."""

    files: Mapping[str, str]
    gaps: tuple[Gap, ...]

    def document(self) -> dict[str, Any]:
        """The reproduction as `reproduce --json` prints it."""
        return {"schema": 1, "files": dict(self.files), "gaps": [one.document() for one in self.gaps]}


def joined(parts: Iterable[Part]) -> Part:
    """All parts as one; their instructions apart by an empty line."""
    lines: list[str] = []
    files: dict[str, str] = {}
    gaps: list[Gap] = []
    for one in parts:
        lines += ["", *one.lines] if lines and one.lines else one.lines
        files |= one.files
        gaps += one.gaps
    return Part(tuple(lines), files, tuple(gaps))
