"""Draws clues from the attribute or the parameter that an error says is missing: whose class or function it is."""

import builtins
import re
import types
from collections.abc import Callable, Iterable, Iterator
from math import log2

from envparity_server.explain.clues import PARTLY, PROVED, Clue, against
from envparity_server.explain.failures import Raised
from envparity_server.explain.providers import Providers

_FUNCTION = r"(?:([\w.<>]{1,300})\.)?(\w{1,200})\(\)"
_KEYWORD = re.compile(rf"{_FUNCTION} got an unexpected keyword argument '(\w{{1,200}})'")
_ARGUMENTS = re.compile(
    rf"{_FUNCTION} (?:missing \d{{1,9}} required [\w-]{{1,20}} arguments?|takes [\w ]{{1,40}} arguments? but)"
)
_MEMBER = re.compile(r"(?:type object )?'(?:[\w.]{1,300}\.)?(\w{1,200})'(?: object)? has no attribute '(\w{1,200})'")
_CALLED = re.compile(r"\b([A-Za-z]\w*)\(")
_FIRST_WORD = re.compile(r"_*([A-Z]?[a-z0-9]+|[A-Z]+(?![a-z]))")
_BUILT_IN = frozenset({*dir(builtins), "NoneType", "module", "function", "method", "generator", "coroutine"})
_BUILT_IN_TYPES = frozenset(getattr(types, name).__name__ for name in types.__all__ if name.endswith("Type"))

Test = Callable[[str], bool]


def of_members(raised: Raised, providers: Providers) -> Iterator[Clue]:
    """The clues of one exception that tells a class or a function, and what it does not have."""
    message = raised.message
    if match := _KEYWORD.search(message):
        keyword = match[3]
        for function in _functions(match[1], match[2], raised):
            what = f"the keyword {keyword} of {function}()"
            yield from _lost(providers, function, lambda entry: takes(entry, keyword), what)
    elif match := _ARGUMENTS.search(message):
        for function in _functions(match[1], match[2], raised):
            yield from _other_parameters(providers, function)
    elif (match := _MEMBER.search(message)) and match[1] not in _BUILT_IN | _BUILT_IN_TYPES:
        yield from _lost(providers, f"{match[1]}.{match[2]}", bool, f"{match[1]}.{match[2]}")


def _functions(owner: str | None, function: str, raised: Raised) -> list[str]:
    """The functions that are meant, as `Class.method`; Python before 3.10 leaves the class to the source line."""
    name = (owner or "").rpartition(".")[2]
    if not name and function == "__init__" and raised.frames:
        return sorted({f"{called}.__init__" for called in _CALLED.findall(raised.frames[-1].source)})
    return [function if not name or "<" in name else f"{name}.{function}"]


def _lost(providers: Providers, symbol: str, has: Test, what: str) -> Iterator[Clue]:
    """Whoever has such a symbol on the good side and not on the bad one; else whoever has its class."""
    found = [name for name, good, bad in _told_by(providers, symbol) if any(map(has, good)) and not any(map(has, bad))]
    for distribution in found:
        there, here = (providers.release(distribution, good) for good in (True, False))
        told = f"{what} is in {there} and not in {here}"
        yield from against(providers, distribution, PROVED - log2(len(found)), told)
    if found:
        return
    owner = symbol.partition(".")[0]
    owners = [name for name, _, _ in _told_by(providers, owner)]
    for distribution in owners:
        told = f"{what} is missing, and {owner} is of {distribution}, {providers.change(distribution)}"
        yield from against(providers, distribution, PARTLY - log2(len(owners)), told)
    if not owners:
        yield from _resembling(providers, owner)


def _other_parameters(providers: Providers, function: str) -> Iterator[Clue]:
    """A call with too few or too many arguments: of what has other parameters now."""
    found = [(name, good, bad) for name, good, bad in _told_by(providers, function) if good and bad and good != bad]
    for distribution, good, bad in found:
        release = providers.release(distribution, good=False)
        told = f"{function}() has other parameters in {release}: {_first(bad, good)}, and had {_first(good, bad)}"
        yield from against(providers, distribution, 12.0 - log2(len(found)), told)


def _first(entries: frozenset[str], other: Iterable[str]) -> str:
    return min(entries - set(other), default=min(entries))


def _resembling(providers: Providers, name: str) -> Iterator[Clue]:
    """A class is often named after what it is from, such as SanicTestClient or PydanticUserError."""
    first = _FIRST_WORD.match(name)
    word = first[1].lower() if first else ""
    for distribution in sorted(providers.suspects) if len(word) >= 3 else ():
        flat = distribution.replace("-", "")
        if flat.startswith(word) or word.startswith(flat):
            share = min(len(word), len(flat)) / max(len(word), len(flat))
            told = f"the name of {name} begins as that of {distribution}, {providers.change(distribution)}"
            yield from against(providers, distribution, 3.0 * share, told)


def _told_by(providers: Providers, symbol: str) -> Iterator[tuple[str, frozenset[str], frozenset[str]]]:
    """The suspects that tell a symbol in any of their modules, with its entries on the good and on the bad side."""
    for distribution in sorted(providers.suspects):
        good, bad = (
            frozenset(entries[symbol] for entries in names.values() if symbol in entries)
            for names in providers.symbols(distribution)
        )
        if good or bad:
            yield distribution, good, bad


def takes(entry: str, keyword: str) -> bool:
    """Whether a function takes a keyword, by what a `symbols` section tells of it: `get(url, /, *, timeout=, **kw)`."""
    inside = entry.partition("(")[2].rpartition(")")[0]
    parameters = [one.strip() for one in inside.rpartition("/,")[2].split(",")]
    return any(one.startswith("**") or one.rstrip("=") == keyword for one in parameters)
