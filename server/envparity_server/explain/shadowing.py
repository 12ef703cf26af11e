"""A witness of the application's own modules: those that hide another one, and those that an error says lack a name."""

import re
import sys
from collections.abc import Iterable, Iterator

from envparity_server.compare.model import State
from envparity_server.explain.clues import PROVED, Clue, strongest
from envparity_server.explain.likeness import SURE
from envparity_server.explain.model import Evidence, Situation, Suspect
from envparity_server.explain.places import nearness
from envparity_server.explain.providers import Providers, is_installed, module_of
from envparity_server.explain.telling import quoted

_FROM = re.compile(
    r"cannot import name '\w{1,200}' from (?:partially initialized module )?'([^']{1,300})'(?: \((.+?)\))?"
)
_OF = re.compile(r"module '([\w.]{1,300})' has no attribute|No module named '([\w.]{1,300})'")
_SOURCES = ("src/", "lib/")  # directories whose modules are imported by their own names
_HIDES, _HIDES_INSTALLED, _HIDES_AND_FAILS = 6.0, 4.0, 15.0


def of_own_modules(situation: Situation) -> Iterable[Evidence]:
    """Evidence from what the modules of the application are called."""
    return strongest(_clues(situation))


def _clues(situation: Situation) -> Iterator[Clue]:
    files = {
        suspect: suspect.item.removeprefix("file:")
        for suspect, differences in situation.suspects.items()
        if differences[0].kind == "application" and suspect.item.startswith("file:") and suspect.item.endswith(".py")
    }
    providers = Providers(situation) if files else None
    for suspect, file in files.items() if providers else ():
        if providers and any(one.state == State.ONLY_RIGHT for one in situation.suspects[suspect]):
            yield from _hides(situation, providers, suspect, module_of(_below_source(file)))
    for raised in situation.failure.raised if situation.failure else ():
        for suspect, file in files.items():
            if _is_meant(raised.message, file):
                told = f"what is missing should be in {file}, which differs: {quoted(raised.message)}"
                yield Clue("module", suspect, PROVED, told)


def _below_source(file: str) -> str:
    return next((file.removeprefix(one) for one in _SOURCES if file.startswith(one)), file)


def _hides(situation: Situation, providers: Providers, suspect: Suspect, module: str) -> Iterator[Clue]:
    """A module that only the bad side has, and that is found before another one of its name."""
    if "." in module:
        return
    if module in sys.stdlib_module_names:
        whose, points = "Python's own", _HIDES
    elif installed := [name for name, much in providers.of_module(module).items() if much >= SURE]:
        whose, points = f"that of {installed[0]}", _HIDES_INSTALLED
    else:
        return
    named = re.compile(rf"['\"(\s/]{re.escape(module)}(?:['\"\s.]|\.py)")
    said = [one.message for one in situation.failure.raised if named.search(one.message)] if situation.failure else []
    told = f"only the bad side has {suspect.item.removeprefix('file:')}, which hides {whose} module {module}"
    if said:
        yield Clue(
            "module", suspect, _HIDES_AND_FAILS, f"{told}, and that is what the error is about: {quoted(said[-1])}"
        )
    else:
        yield Clue("module", suspect, points, told)


def _is_meant(message: str, file: str) -> bool:
    """Whether an error says that a name or a module is missing from this file."""
    module = module_of(file)
    if match := _FROM.search(message):
        if match[2] and not is_installed(match[2]):
            return nearness(match[2], file) >= 12.0
        return _is_called(match[1], module)
    match = _OF.search(message)
    return match is not None and _is_called(match[1] or match[2], module)


def _is_called(named: str, module: str) -> bool:
    return named == module or module.endswith(f".{named}")
