"""Version distance: a label for people, in each ecosystem's own reading; equality is never decided here."""

import re
from typing import NamedTuple

from packaging.version import InvalidVersion, Version

from envparity_server.compare.model import Distance

_STEPS = (Distance.MAJOR, Distance.MINOR, Distance.PATCH)


def equal(left: str, right: str) -> bool:
    """Whether two Python versions are the same by PEP 440: 1.0 is 1.0.0; what is no version is a text."""
    if left == right:
        return True
    parsed = _pep440(left), _pep440(right)
    return None not in parsed and parsed[0] == parsed[1]


def python_distance(left: str, right: str) -> Distance:
    """The distance of two Python versions."""
    first, second = _pep440(left), _pep440(right)
    if first is None or second is None or first.epoch != second.epoch:
        return Distance.UNORDERED
    step = _release(first.release, second.release)
    if step:
        return step
    if (first.pre, first.dev, first.post) != (second.pre, second.dev, second.post):
        return Distance.PRE if (first.pre, first.dev) != (second.pre, second.dev) else Distance.PATCH
    return Distance.LOCAL


def _pep440(text: str) -> Version | None:
    try:
        return Version(text)
    except (InvalidVersion, ValueError):  # ValueError: more digits than int() takes
        return None


def system_distance(left: str, right: str) -> Distance:
    """The distance of two versions of an OS package, kernel or release: the numbers of upstream's part.

    Debian and RPM write [epoch:]upstream[-revision], Alpine upstream[_suffix][-rN]; unlike epochs count in another way.
    https://www.debian.org/doc/debian-policy/ch-controlfields.html#version
    https://rpm-software-management.github.io/rpm/manual/dependencies.html#versioning
    https://wiki.alpinelinux.org/wiki/APKBUILD_Reference#pkgver
    """
    first, second = _system_version(left), _system_version(right)
    if first.epoch != second.epoch:
        return Distance.UNORDERED
    if first.release != second.release:
        numbers = [tuple(int(part[:9]) for part in re.findall(r"\d+", one.release)) for one in (first, second)]
        if not all(numbers):
            return Distance.UNORDERED
        if numbers[0] == numbers[1]:
            return Distance.PATCH  # letters count as well: 1.1.1n and 1.1.1w
        return _release(*numbers) or Distance.UNORDERED
    if first.suffix != second.suffix and (_is_before(first.suffix) or _is_before(second.suffix)):
        return Distance.PRE
    return Distance.PATCH  # a snapshot, a patch, or only the packaging was revised


class _SystemVersion(NamedTuple):
    """The parts of an OS package's version that its distance is read from; the revision is left out."""

    epoch: str
    release: str
    suffix: str  # from the first of ~ ^ + _


def _system_version(text: str) -> _SystemVersion:
    epoch, colon, rest = text.partition(":")
    if not colon or not epoch.isdecimal():
        epoch, rest = "", text
    upstream = rest.rpartition("-")[0] or rest
    cut = next((place for place, letter in enumerate(upstream) if letter in "~^+_"), len(upstream))
    return _SystemVersion(epoch.lstrip("0"), upstream[:cut], upstream[cut:])


def _is_before(suffix: str) -> bool:
    """Whether a version with this suffix comes before the one without it."""
    return suffix.startswith(("~", "_alpha", "_beta", "_pre", "_rc"))


def _release(left: tuple[int, ...], right: tuple[int, ...]) -> Distance | None:
    """The first number that differs; None where none does: 1.0 and 1.0.0 are one release."""
    width = max(len(left), len(right))
    padded = [numbers + (0,) * (width - len(numbers)) for numbers in (left, right)]
    first = next((index for index, pair in enumerate(zip(*padded, strict=True)) if pair[0] != pair[1]), None)
    return None if first is None else _STEPS[min(first, 2)]
