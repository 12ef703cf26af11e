"""Draws clues from the name or module that an error says is missing: which distribution should have provided it."""

import re
from collections.abc import Iterator
from math import log2

from envparity_server.explain.clues import NAMED, PARTLY, PROVED, Clue, against
from envparity_server.explain.failures import Raised
from envparity_server.explain.likeness import SURE
from envparity_server.explain.members import of_members
from envparity_server.explain.providers import Names, Providers, is_installed, is_stdlib
from envparity_server.explain.stdlib import is_of_stdlib, of_interpreter, of_missing_module

_IMPORT = re.compile(
    r"cannot import name '([^']{1,200})' from (?:partially initialized module )?'([^']{1,300})'"
    r"(?: \((.{1,1000}?)\)(?!\w))?"
)
_ATTRIBUTE = re.compile(r"module '([\w.]{1,300})' has no attribute '(\w{1,200})'")
_PICKLED = re.compile(r"Can't get attribute '(\w{1,200})' on <module '([\w.]{1,300})'")
_MODULE = re.compile(r"No module named '?([\w.]{1,300})'?")
_CALENDAR = 2000  # a first number of a version from here on is a year, and no count of incompatible releases


def of_symbols(raised: Raised, providers: Providers) -> Iterator[Clue]:
    """The clues of one exception against the distribution that lost the symbol, or against the interpreter."""
    message = raised.message
    if match := _IMPORT.search(message):
        yield from _lost_name(raised, providers, match[2], match[1], match[3] or "")
    elif match := _ATTRIBUTE.search(message):
        yield from _lost_name(raised, providers, match[1], match[2])
    elif match := _PICKLED.search(message):
        yield from _lost_name(raised, providers, match[2], match[1])
    elif match := _MODULE.search(message):
        yield from _lost_module(raised, providers, match[1].strip("."))
    else:
        yield from of_members(raised, providers)


def users(raised: Raised, providers: Providers) -> list[str]:
    """The distributions that the innermost frame belongs to, the standard library's left out: who was calling."""
    for frame in reversed(raised.frames):
        if not is_stdlib(frame.file):
            return sorted(providers.of_file(frame.file))
    return []


def _lost_name(raised: Raised, providers: Providers, module: str, name: str, place: str = "") -> Iterator[Clue]:
    """`from module import name`, or module.name: whoever has the module on the good side should have it."""
    if (place and is_stdlib(place)) or is_of_stdlib(module, providers):
        told = f"{module}.{name} is missing, which is of the standard library"
        yield from of_interpreter(providers, NAMED, told)
        return
    found = providers.of_file(place) if is_installed(place) else providers.of_module(module)
    circular = "partially initialized" in raised.message
    for distribution, much in found.items():
        good, bad = (_defines(names, module, name) for names in providers.symbols(distribution))
        lost = good is True and bad is False
        points = PROVED if lost else 3.0 if circular or (good and bad) else NAMED
        told = f"{module}.{name} is missing, which {distribution} should have, {providers.change(distribution)}"
        if lost:
            told = _is_only_in(providers, distribution, f"{module}.{name}")
        yield from against(providers, distribution, points * much, told)
    if not providers.suspects.keys() & found.keys():
        for user in users(raised, providers):
            told = f"{user}, {providers.change(user)}, asks for {module}.{name} of what does not differ"
            yield from against(providers, user, 4.0, told)


def _lost_module(raised: Raised, providers: Providers, module: str) -> Iterator[Clue]:
    """`import module`: it went away with its distribution, or with a release of it, or with one of the interpreter."""
    yield from of_missing_module(module, providers)
    told = [name for name in sorted(providers.suspects) if _is_lost(module, *providers.symbols(name))]
    for distribution in told:
        yield from against(providers, distribution, PROVED, _is_only_in(providers, distribution, module))
    if told:
        return
    found = providers.of_module(module)
    for distribution, much in found.items():
        points = 13.0 if providers.is_gone(distribution) else NAMED if "." in module else PARTLY
        text = f"no module {module}, by its name a part of {distribution}, {providers.change(distribution)}"
        yield from against(providers, distribution, points * much, text)
    if max(found.values(), default=0.0) < SURE and not is_of_stdlib(module, providers):
        yield from _nobody_is_called_so(raised, providers, module)


def _nobody_is_called_so(raised: Raised, providers: Providers, module: str) -> Iterator[Clue]:
    """Nothing is named like the module: what went away may have had it, or what is many major releases further."""
    needed = {name for user in users(raised, providers) for name in providers.requires(user)}
    for distribution in sorted(providers.suspects):
        if distribution in needed:
            told = f"no module {module}, and what imports it requires {distribution}, {providers.change(distribution)}"
            yield from against(providers, distribution, 4.0, told)
        if providers.is_gone(distribution):
            told = f"no module {module}, and {distribution} is not there any more"
            yield from against(providers, distribution, 5.0, told, "loss")
        elif (majors := _majors(*providers.versions(distribution))) > 1:
            told = f"no module {module}: {distribution} may have lost it in {majors} major releases"
            yield from against(providers, distribution, min(3.0, log2(majors)), told, "loss")
    if "." not in module:
        yield from of_interpreter(providers, 3.0, f"no module {module}, and no distribution that is named so")


def _is_lost(module: str, good: Names, bad: Names) -> bool:
    return module in good and bool(bad) and module not in bad


def _is_only_in(providers: Providers, distribution: str, symbol: str) -> str:
    there, here = (providers.release(distribution, good) for good in (True, False))
    return f"the missing {symbol} is in {there} and not in {here}"


def _defines(names: Names, module: str, name: str) -> bool | None:
    """Whether a module has a name; None where that is not known."""
    told = names.get(module)
    if f"{module}.{name}" in names or (told and name in told):
        return True
    return None if not told or "*" in told or "__getattr__" in told else False


def _majors(good: str, bad: str) -> int:
    """How many major releases lie between two versions; none where the first number is a year."""
    first = [int(match[0]) if (match := re.match(r"\d{1,9}", version)) else _CALENDAR for version in (good, bad)]
    return first[1] - first[0] if max(first) < _CALENDAR else 0
