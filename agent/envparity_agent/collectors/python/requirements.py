"""Says which requirements of installed distributions nothing fulfils, under the markers of their own environment.

https://packaging.python.org/en/latest/specifications/dependency-specifiers/
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from packaging.markers import InvalidMarker, Marker, UndefinedComparison, UndefinedEnvironmentName
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

MAX_EVALUATED = 100_000  # requirements of one environment

# name, extras and what follows them; a URL follows after an @
_HEAD = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[([^\]]*)\])?(.*)$", re.DOTALL)
_EXTRA = re.compile(r"""\bextra\s*==\s*["']([^"']*)["']""")

# ValueError: more digits than int() takes; RecursionError: nested parentheses without end
_NOT_UNDERSTOOD = (
    InvalidMarker, InvalidRequirement, InvalidSpecifier, InvalidVersion, UndefinedComparison,
    UndefinedEnvironmentName, ValueError, RecursionError,
)  # fmt: skip


@dataclass(frozen=True)
class Installed:
    """What is known of one distribution that imports."""

    version: str
    requires: Sequence[str] = ()

    @cached_property
    def parsed(self) -> Version | None:
        """The version by PEP 440; None for what is none."""
        try:
            return Version(self.version)
        except (InvalidVersion, ValueError):
            return None


@dataclass(frozen=True)
class _Wanted:
    """One requirement, as far as it can be told without its marker."""

    name: str
    extras: tuple[str, ...]
    specifier: str
    marker: str

    def told(self, specifiers: SpecifierSet | None) -> str:
        extras = f"[{','.join(self.extras)}]" if self.extras else ""
        return f"{self.name}{extras}{specifiers or ''}"


def unmet(installed: Mapping[str, Installed], markers: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Name -> the requirements that apply and that nothing fulfils: `idna<4,>=2.5 (has 1.0)`, `six (not installed)`.

    `installed` goes by normalised names, `markers` is the marker environment. Requirements of an extra apply where an
    applying requirement asks for that extra.
    """
    check = _Check(installed, markers)
    pending = [(name, "") for name in installed]
    seen = set(pending)
    found: dict[str, set[str]] = {}
    evaluated = 0
    while pending and evaluated < MAX_EVALUATED:
        name, extra = pending.pop()
        for text in installed[name].requires:
            if extra and "extra" not in text:
                continue  # has been looked at without one
            evaluated += 1
            try:
                wanted = check.applying(text, extra)
                if wanted is None:
                    continue
                lack = check.lack(wanted)
            except _NOT_UNDERSTOOD:
                wanted, lack = None, f"{text} (not understood)"
            if lack:
                found.setdefault(name, set()).add(lack)
            asked = [(wanted.name, one) for one in wanted.extras] if wanted and wanted.name in installed else []
            pending.extend(one for one in asked if one not in seen)
            seen.update(asked)
    return {name: tuple(sorted(lacks)) for name, lacks in found.items()}


class _Check:
    """Evaluates requirements of one environment; remembers what recurs, as specifiers and markers do."""

    def __init__(self, installed: Mapping[str, Installed], markers: Mapping[str, str]) -> None:
        self._installed = installed
        self._environment = dict(markers)
        self._specifiers: dict[str, SpecifierSet] = {}
        self._markers: dict[tuple[str, str], bool] = {}

    def applying(self, text: str, extra: str) -> _Wanted | None:
        """The requirement, None where it does not apply; raises one of _NOT_UNDERSTOOD."""
        head, _, marker = text.partition(";")
        if "@" not in head:  # a URL may have a semicolon of its own
            if marker and not self._applies(marker.strip(), extra):
                return None
            return _wanted(head, marker)
        parsed = Requirement(text)
        if parsed.marker and not self._applies(str(parsed.marker), extra):
            return None
        return _Wanted(canonicalize_name(parsed.name), _extras(parsed.extras), "", str(parsed.marker or ""))

    def lack(self, wanted: _Wanted) -> str | None:
        """What is not as the requirement wants it; None where it is, or where that cannot be told."""
        specifiers = self._specifiers.get(wanted.specifier)
        if specifiers is None:
            specifiers = self._specifiers.setdefault(wanted.specifier, SpecifierSet(wanted.specifier))
        there = self._installed.get(wanted.name)
        if there is None:
            return f"{wanted.told(specifiers)} (not installed)"
        if not wanted.specifier or there.parsed is None or specifiers.contains(there.parsed, prereleases=True):
            return None
        return f"{wanted.told(specifiers)} (has {there.version})"

    def _applies(self, marker: str, extra: str) -> bool:
        asked = {canonicalize_name(one) for one in _EXTRA.findall(marker)}
        if asked and " or " not in marker and asked != {extra}:
            return False  # part of a conjunction: spares the parser most of what METADATA holds
        key = (marker, extra if "extra" in marker else "")
        known = self._markers.get(key)
        if known is None:
            known = Marker(marker).evaluate({**self._environment, "extra": extra})
            self._markers[key] = known
        return known


def _wanted(head: str, marker: str) -> _Wanted:
    found = _HEAD.match(head.strip())
    if found is None:
        raise InvalidRequirement(head)
    name, extras, specifier = found.groups()
    specifier = specifier.strip()
    if specifier.startswith("(") and specifier.endswith(")"):
        specifier = specifier[1:-1].strip()
    return _Wanted(canonicalize_name(name), _extras((extras or "").split(",")), specifier, marker)


def _extras(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(canonicalize_name(one.strip()) for one in names if one.strip()))
