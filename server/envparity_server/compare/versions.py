"""Version distance: a label for people, in each ecosystem's own reading; equality is never decided here."""

import re

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

    A Debian version is [epoch:]upstream[-revision]: https://www.debian.org/doc/debian-policy/ch-controlfields.html#version
    """
    first, second = _upstream(left), _upstream(right)
    if first == second:
        return Distance.PATCH  # only the packaging was revised
    numbers = [tuple(int(number[:9]) for number in re.findall(r"\d+", text)) for text in (first, second)]
    if not all(numbers) or numbers[0] == numbers[1]:
        return Distance.UNORDERED
    return _release(*numbers) or Distance.UNORDERED


def _upstream(text: str) -> str:
    return (
        text.partition(":")[2].rpartition("-")[0] or text.partition(":")[2]
        if ":" in text
        else (text.rpartition("-")[0] or text)
    )


def _release(left: tuple[int, ...], right: tuple[int, ...]) -> Distance | None:
    """The first number that differs; None where none does: 1.0 and 1.0.0 are one release."""
    width = max(len(left), len(right))
    padded = [numbers + (0,) * (width - len(numbers)) for numbers in (left, right)]
    first = next((index for index, pair in enumerate(zip(*padded, strict=True)) if pair[0] != pair[1]), None)
    return None if first is None else _STEPS[min(first, 2)]
