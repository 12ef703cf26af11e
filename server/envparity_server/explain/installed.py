"""One side's Python environment as requirements see it: who requires what, as far as that applies there."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from packaging.markers import InvalidMarker
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from envparity_agent.fingerprint import FingerprintLike, Items, SectionLike
from envparity_agent.kinds import INTERPRETER_ITEM
from envparity_server.compare.applied import system_of
from envparity_server.compare.markers import Known
from envparity_server.explain.model import Situation
from envparity_server.explain.standing import sections

_NAME = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)")
# ValueError: more digits than int() takes; RecursionError: nested parentheses without end
_NOT_UNDERSTOOD = (InvalidMarker, InvalidRequirement, InvalidSpecifier, InvalidVersion, ValueError, RecursionError)


@dataclass(frozen=True)
class Wanted:
    """A requirement of an installed distribution."""

    by: str
    name: str
    specifier: SpecifierSet | None  # None where only that it is required is told
    is_optional: bool = False  # it belongs to an extra

    @property
    def text(self) -> str:
        """The requirement in its short form: `urllib3<1.27,>=1.21.1`."""
        return f"{self.name}{self.specifier or ''}"

    @property
    def has_upper_bound(self) -> bool:
        """Whether its author said up to which version it is good."""
        return any(one.operator in ("<", "<=", "==", "===", "~=") for one in self.specifier or ())

    def allows(self, version: str) -> bool | None:
        """Whether a version fulfils it; None for what is no version."""
        return None if self.specifier is None else within(self.specifier, version)


@dataclass(frozen=True)
class Installed:
    """The environment of one side; a file that declares packages is one of which no requirements are known."""

    section: SectionLike
    side: FingerprintLike

    @cached_property
    def items(self) -> Items:
        """The distributions that import, by name."""
        return {name: body for name, body in self.section.items.items() if "#" not in name and not name.startswith("@")}

    @property
    def interpreter(self) -> str:
        """The version of its interpreter; empty where only a part of it is known."""
        version = str(self.section.items.get(INTERPRETER_ITEM, {}).get("version") or "")
        return version if version.count(".") > 1 else ""

    @cached_property
    def tells_requirements(self) -> bool:
        """Whether it is known who requires what."""
        return any(body.get("requires") or body.get("via") for body in self.items.values())

    @cached_property
    def required(self) -> dict[str, tuple[Wanted, ...]]:
        """Name -> the requirements that apply and that ask for it without an extra, by who requires."""
        found: dict[str, dict[str, Wanted]] = {}
        for by in sorted(self.items):
            for one in self._wanted(by):
                if not one.is_optional and one.name != by:
                    found.setdefault(one.name, {})[by] = one
        for name, body in sorted(self.items.items()):
            told = body.get("via")  # a compiled list of requirements says for whom each is there
            for by in map(canonicalize_name, told if isinstance(told, tuple) else ()):
                if by in self.items and by != name:
                    found.setdefault(name, {}).setdefault(by, Wanted(by, name, None))
        return {name: tuple(wanted.values()) for name, wanted in found.items()}

    def version(self, name: str) -> str:
        """The version of a distribution; empty where it is not there, or has none."""
        return str(self.items.get(name, {}).get("version") or "")

    def requirements_on(self, by: str, name: str) -> tuple[Wanted, ...]:
        """What one distribution requires of another one; for an extra as well, since it may be asked for."""
        return tuple(one for one in self._wanted(by, name) if one.name == name) if by in self.items else ()

    def _wanted(self, by: str, only: str = "") -> Iterator[Wanted]:
        requires = self.items[by].get("requires")
        for text in sorted(requires) if isinstance(requires, tuple) else ():
            named = _NAME.match(text)
            if named is None or (only and canonicalize_name(named[1]) != only):
                continue
            head, _, marker = text.partition(";")
            try:
                parsed = Requirement(text if "@" in head else head)  # a URL may have a semicolon of its own
            except _NOT_UNDERSTOOD:
                continue
            marker = str(parsed.marker or "") if "@" in head else marker.strip()
            is_optional = "extra" in marker
            if marker and self._holds(marker) is (False if is_optional else not True):
                continue
            yield Wanted(by, canonicalize_name(parsed.name), parsed.specifier, is_optional)

    def _holds(self, marker: str) -> bool | None:
        if marker not in self._markers:
            self._markers[marker] = self._known.holds(marker)
        return self._markers[marker]

    @cached_property
    def _markers(self) -> dict[str, bool | None]:
        return {}

    @cached_property
    def _known(self) -> Known:
        return Known.of(self.section.items, system_of(self.section, self.side))


@dataclass(frozen=True)
class Environments:
    """The Python environment of both sides that a path of the comparison stands for."""

    path: str
    good: Installed
    bad: Installed


def environments(situation: Situation, *kinds: str, everywhere: bool = False) -> Iterator[Environments]:
    """Every pair of environments of some kinds, by path: those in which something differs, or those that are equal too.

    An environment that is the same on both sides breaks by what is below it.
    """
    paths = {suspect.section for suspect in situation.suspects}
    for path in sorted(paths | (situation.good.sections.keys() if everywhere else set())):
        good, bad = sections(situation, path)
        if good and bad and good.kind in kinds and bad.kind in kinds:
            yield Environments(path, Installed(good, situation.good), Installed(bad, situation.bad))


def requirement(text: str) -> Requirement | None:
    """A requirement; None for what is none."""
    try:
        return Requirement(text)
    except _NOT_UNDERSTOOD:
        return None


def within(specifier: SpecifierSet | str, version: str) -> bool | None:
    """Whether a version is in a range; None where either is not understood."""
    try:
        known = SpecifierSet(specifier) if isinstance(specifier, str) else specifier
        return known.contains(Version(version), prereleases=True)
    except _NOT_UNDERSTOOD:
        return None
