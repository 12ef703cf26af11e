"""What installed distributions require of each other and do not get, under markers of an environment as it is known.

https://packaging.python.org/en/latest/specifications/dependency-specifiers/
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from envparity_agent.fingerprint import Items
from envparity_server.compare.markers import Known

_REMEMBERED = 20_000  # distributions: those of some dozen environments, as each cause asks for them again


@dataclass(frozen=True)
class Installed:
    """One distribution, as its metadata tells it."""

    version: str
    requires: tuple[str, ...] = ()


class Lack(NamedTuple):
    """A requirement that nothing fulfils: who has it, of what, how it is written, and what is there instead."""

    owner: str
    name: str
    wanted: str  # urllib3<1.27,>=1.25.4
    there: str  # 2.2.1; empty where it is not installed


def installed_of(items: Items) -> dict[str, Installed]:
    """The distributions of an environment that import, by their names."""
    found: dict[str, Installed] = {}
    for name, body in items.items():
        if name.startswith(("@", "conda:")) or "#" in name:
            continue
        requires = body.get("requires")
        found[name] = Installed(str(body.get("version") or ""), requires if isinstance(requires, tuple) else ())
    return found


def lacks(installed: Mapping[str, Installed], known: Known) -> Iterator[Lack]:
    """Yield what is lacking; what is not understood, or depends on what is not known, is no lack.

    Requirements of an extra count where another distribution asks for that extra.
    """
    pending = [(name, "") for name in sorted(installed)]
    seen = set(pending)
    while pending:
        name, extra = pending.pop()
        for wanted in _applying(installed[name].requires, known, extra):
            there = installed.get(wanted.name)
            if there is None or not _fits(wanted.specifier, there.version):
                yield Lack(name, wanted.name, wanted.told, there.version if there else "")
            if there is not None:
                more = [(wanted.name, one) for one in wanted.extras if (wanted.name, one) not in seen]
                pending += more
                seen.update(more)


class _Wanted(NamedTuple):
    """One requirement, taken apart."""

    name: str
    specifier: str
    extras: tuple[str, ...]
    told: str


@lru_cache(_REMEMBERED)
def _applying(requires: tuple[str, ...], known: Known, extra: str) -> tuple[_Wanted, ...]:
    """What applies where an extra is asked for, and only then; without one, what applies always."""
    found: list[_Wanted] = []
    for text in requires:
        if bool(extra) == ("extra" in text.partition(";")[2]):
            found += _wanted(text, known, extra)
    return tuple(found)


def _wanted(text: str, known: Known, extra: str) -> Iterator[_Wanted]:
    """The requirement, if it applies and is one."""
    try:
        parsed = Requirement(text)
    except (InvalidRequirement, RecursionError, ValueError):
        return
    if parsed.marker is None or _holds(str(parsed.marker), known, extra):
        name, specifier = canonicalize_name(parsed.name), str(parsed.specifier)
        extras = tuple(sorted(map(canonicalize_name, parsed.extras)))
        yield _Wanted(name, specifier, extras, f"{name}[{','.join(extras)}]{specifier}" if extras else name + specifier)


@lru_cache(_REMEMBERED)
def _holds(marker: str, known: Known, extra: str) -> bool:
    return known.holds(marker, extra) is True


@lru_cache(_REMEMBERED)
def _fits(specifier: str, version: str) -> bool:
    """Whether a version is in a range; what is no version is not known to be outside of it."""
    try:
        parsed = Version(version)
    except (InvalidVersion, ValueError):
        return True
    return SpecifierSet(specifier).contains(parsed, prereleases=True)
