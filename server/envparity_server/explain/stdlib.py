"""Knows what came to Python's standard library and left it, and blames the interpreter for what is missing there."""

import re
import sys
from collections.abc import Iterator

from envparity_server.explain.clues import PROVED, SYMBOL, Clue
from envparity_server.explain.likeness import SURE
from envparity_server.explain.providers import Providers
from envparity_server.explain.telling import quoted

# modules that came or left since 3.8: the first version that has them, and the first one that has them no more
# https://docs.python.org/3/whatsnew/
_MODULES: dict[str, tuple[tuple[int, int], tuple[int, int] | None]] = {
    **dict.fromkeys(("_dummy_threading", "dummy_threading"), ((3, 0), (3, 9))),
    **dict.fromkeys(("_bootlocale", "formatter", "parser", "symbol"), ((3, 0), (3, 10))),
    "binhex": ((3, 0), (3, 11)),
    **dict.fromkeys(("asynchat", "asyncore", "distutils", "imp", "smtpd"), ((3, 0), (3, 12))),
    **dict.fromkeys(
        (
            *("aifc", "audioop", "cgi", "cgitb", "chunk", "crypt", "imghdr", "lib2to3", "mailcap", "msilib", "nis"),
            *("nntplib", "ossaudiodev", "pipes", "sndhdr", "spwd", "sunau", "telnetlib", "uu", "xdrlib"),
        ),
        ((3, 0), (3, 13)),
    ),
    **dict.fromkeys(("graphlib", "zoneinfo"), ((3, 9), None)),
    "tomllib": ((3, 11), None),
    **dict.fromkeys(("annotationlib", "compression"), ((3, 14), None)),
}


_LANGUAGE = re.compile(
    r"requires a different Python: .{1,60}|requires Python .{1,40}|not supported (?:on|by) Python.{1,20}"
    r"|Python \d\.\d{1,2}(?:\.\d+)? or (?:later|newer|higher)|unsupported pickle protocol|bad magic number in .{1,60}"
    r"|'type' object is not subscriptable|unsupported operand type\(s\) for \|: '(?:type|NoneType|_GenericAlias)'"
    r"|Module use of python\d+\.dll conflicts"
)


def is_of_stdlib(module: str, providers: Providers) -> bool:
    """Whether a module is, or was, one of the standard library, and of no distribution."""
    top = module.partition(".")[0]
    known = top in sys.stdlib_module_names or top in _MODULES
    return known and max(providers.of_module(module).values(), default=0.0) < SURE


def of_missing_module(module: str, providers: Providers) -> Iterator[Clue]:
    """A module that the good side's Python has and the bad side's has not."""
    span = _MODULES.get(module.partition(".")[0])
    for suspect in providers.interpreters if span else ():
        difference = providers.situation.suspects[suspect][0]
        good, bad = (_version(str(one or "")) for one in (difference.left, difference.right))
        if span and good and bad and _within(good, span) and not _within(bad, span):
            told = f"Python {difference.left} has the module {module}, and Python {difference.right} has not"
            yield Clue(SYMBOL, suspect, PROVED, told)


def of_language(kind: str, message: str, providers: Providers) -> Iterator[Clue]:
    """Syntax, types and file formats that another version of Python has, and what asks for another version."""
    if kind.rpartition(".")[2] in ("SyntaxError", "IndentationError"):
        yield from of_interpreter(providers, 9.0, f"the source is no syntax of this Python: {quoted(message)}")
    elif match := _LANGUAGE.search(message):
        yield from of_interpreter(providers, 10.0, f"Python itself is what is asked about: {match[0]}")


def of_interpreter(providers: Providers, points: float, text: str) -> Iterator[Clue]:
    """What the interpreter may be to blame for, where it differs."""
    for suspect in providers.interpreters:
        difference = providers.situation.suspects[suspect][0]
        yield Clue(SYMBOL, suspect, points, f"{text}; Python is {difference.right} instead of {difference.left}")


def _within(version: tuple[int, int], span: tuple[tuple[int, int], tuple[int, int] | None]) -> bool:
    since, until = span
    return since <= version and (until is None or version < until)


def _version(text: str) -> tuple[int, int] | None:
    match = re.match(r"(\d{1,3})\.(\d{1,3})", text)
    return (int(match[1]), int(match[2])) if match else None
