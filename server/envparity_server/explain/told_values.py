"""The witness of values: what was printed holds the very value that a variable or a key has on the bad side.

A value that left its host only as a keyed hash is found again by whoever holds the key: by hashing what was printed.
"""

import re
from collections.abc import Iterable, Iterator

from envparity_agent.fingerprint import Attributes
from envparity_server.explain.clues import Clue, strongest
from envparity_server.explain.model import Evidence, Situation
from envparity_server.explain.standing import standings
from envparity_server.explain.telling import FRAME, quoted, telling

_QUOTED = re.compile(r"'([^'\n]{1,500})'|\"([^\"\n]{1,500})\"|`([^`\n]{1,500})`")
_WORD = re.compile(r"[^\s'\"`(),;=<>\[\]{}]{3,500}")
_COMMON = frozenset({"true", "false", "none", "null", "yes", "no", "on", "off", "utf-8"})
_MOST_LINES, _MOST_TEXTS = 100, 1000
_WHOLE, _PART = 12.0, 9.0  # points


def of_values(situation: Situation) -> Iterable[Evidence]:
    """Evidence from each value that differs and was printed by the failing run."""
    return strongest(_clues(situation)) if situation.failure else ()


def _clues(situation: Situation) -> Iterator[Clue]:
    printed = _printed(situation)
    for standing in standings(situation, "configuration", "file"):
        bad, name = standing.bad or {}, standing.suspect.item.removeprefix("env:")
        if not standing.is_known or standing.suspect.item.startswith("@"):
            continue
        for text, (points, line) in printed.items():
            if _is(bad, name, text, situation) and not _is(standing.good or {}, name, text, situation):
                told = f"{text} is the value of {name} on the bad side: {quoted(line)}"
                yield Clue("value", standing.suspect, points, told)


def _is(body: Attributes, name: str, text: str, situation: Situation) -> bool:
    """Whether an item has this text as its value."""
    key = situation.key
    if key is not None and body.get("key") == key.id:
        return body.get("hmac") == key.of(name, text)
    return "value" in body and str(body["value"]) == text


def _printed(situation: Situation) -> dict[str, tuple[float, str]]:
    """Each text that may be a value, with what it counts and the line that it is in; the last lines first."""
    found: dict[str, tuple[float, str]] = {}
    lines = [line for line in telling(situation) if not FRAME.match(line)][-_MOST_LINES:]
    for line in reversed(lines):
        for text, points in _texts(line):
            if len(found) >= _MOST_TEXTS:
                return found
            if text.lower() not in _COMMON and (len(text) > 2 or (text.isdigit() and points == _WHOLE)):
                found.setdefault(text, (points, line))
    return found


def _texts(line: str) -> Iterator[tuple[str, float]]:
    whole = [next(filter(None, groups)) for groups in _QUOTED.findall(line)]
    words = [word.rstrip(".:") for word in _WORD.findall(line)]
    yield from ((text, _WHOLE) for text in whole)
    yield from ((word, _WHOLE if _tells(word) else _PART) for word in words)
    for path in [one for one in (*whole, *words) if "/" in one]:
        parts = path.split("/")
        yield from (("/".join(parts[start:]), _PART) for start in range(1, len(parts)))
        yield from (("/".join(parts[:end]), _PART) for end in range(2, len(parts)))


def _tells(word: str) -> bool:
    """Whether a word is more than one of a sentence: a path, an address, a number, something written in capitals."""
    return bool(re.search(r"[/\d@_:.-]", word)) or word.isupper()
