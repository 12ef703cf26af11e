"""Matches paths against the patterns of .gitignore and .gitattributes, in linear time and without expressions.

https://git-scm.com/docs/gitignore#_pattern_format. Names are bytes, as in git: `?` is one byte.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from envparity_agent.collectors.code.files import Budget

_Part = TypeVar("_Part")
_Item = TypeVar("_Item")

Token = frozenset[int]  # the bytes that fit in one place
Segment = tuple[Token | None, ...]  # of a path; None stands for any number of bytes

_ANY = frozenset(range(256))
_SPECIAL = frozenset(b"*?[\\")
_MAX_PATTERN = 4096
_CLASSES: Mapping[bytes, Callable[[bytes], bool]] = {
    b"alnum": bytes.isalnum, b"alpha": bytes.isalpha, b"digit": bytes.isdigit, b"lower": bytes.islower,
    b"space": bytes.isspace, b"upper": bytes.isupper,
    b"blank": lambda one: one in b" \t",
    b"cntrl": lambda one: one < b" " or one == b"\x7f",
    b"graph": lambda one: b" " < one < b"\x7f",
    b"print": lambda one: b" " <= one < b"\x7f",
    b"punct": lambda one: b" " < one < b"\x7f" and not one.isalnum(),
    b"xdigit": lambda one: one in b"0123456789abcdefABCDEF",
}  # fmt: skip


class _Never(Exception):
    """A pattern that matches nothing: its brackets or its escape do not end."""


@dataclass(frozen=True)
class Pattern:
    """One pattern, parsed; `segments` are None where it is held against the name alone."""

    name: Segment
    segments: tuple[Segment | None, ...] | None = None  # a None stands for any number of directories
    literal: bytes | None = None  # the whole of a name, or how a path begins
    suffix: bytes | None = None  # the end of a name
    negative: bool = False
    directories: bool = False  # only of directories

    def matches(self, path: bytes, budget: Budget) -> bool:
        """Whether a path fits, which is relative to the directory of the pattern's file; raises Unreadable (cap)."""
        if self.segments is not None:
            # git holds the beginning against the path byte by byte, so that `a**/b` crosses directories, unlike `?**/b`
            beginning = self.literal or b""
            rest = path[len(beginning) :].split(b"/")
            return path.startswith(beginning) and _match(self.segments, rest, _fits, budget)
        name = path.rpartition(b"/")[2]
        if self.literal is not None or self.suffix is not None:
            budget.spend("", steps=1)
            return name == self.literal if self.suffix is None else name.endswith(self.suffix)
        return _fits(self.name, name, budget)


def parse(text: bytes) -> Pattern | None:
    """A pattern as it stands in a line of .gitignore; None where it can match nothing."""
    negative = text.startswith(b"!")
    text = text.removeprefix(b"!") if negative else text
    directories = text.endswith(b"/")
    text = text.removesuffix(b"/")
    if not text or len(text) > _MAX_PATTERN:
        return None
    try:
        if b"/" not in text:
            name = _segment(text)
            plain = _SPECIAL.isdisjoint(text)
            suffix = text[1:] if text[:1] == b"*" and _SPECIAL.isdisjoint(text[1:]) else None
            return Pattern(name, None, text if plain else None, suffix, negative, directories)
        text = text.removeprefix(b"/")
        start = next((place for place, byte in enumerate(text) if byte in _SPECIAL), len(text))
        segments = [
            None if part.strip(b"*") == b"" and len(part) > 1 else _segment(part) for part in _split(text[start:])
        ]
    except _Never:
        return None
    if segments[-1] is None:
        segments.append((None,))  # what is below a directory is not the directory
    return Pattern((), tuple(segments), text[:start], None, negative, directories)


def ignored(lines: bytes) -> tuple[Pattern, ...]:
    """The patterns of a .gitignore, the last one first, as it decides."""
    found = []
    for line in lines.removeprefix(b"\xef\xbb\xbf").split(b"\n"):
        text = _without_blanks(line.removesuffix(b"\r"))
        pattern = parse(text) if text and not text.startswith(b"#") else None
        if pattern:
            found.append(pattern)
    return tuple(reversed(found))


@dataclass(frozen=True)
class Rules:
    """The patterns of one file, and the directory that they are relative to."""

    base: bytes
    patterns: tuple[Pattern, ...]

    def decide(self, path: bytes, is_directory: bool, budget: Budget) -> bool | None:
        """Whether a path is ignored, None where these patterns say nothing; raises Unreadable (cap)."""
        relative = path[len(self.base) + 1 :] if self.base else path
        for pattern in self.patterns:
            if (is_directory or not pattern.directories) and pattern.matches(relative, budget):
                return not pattern.negative
        return None


def is_ignored(rules: Iterable[Rules], path: bytes, is_directory: bool, budget: Budget) -> bool:
    """Whether a path is ignored by files of rules, the one that decides first being the first that says anything."""
    return next((said for one in rules if (said := one.decide(path, is_directory, budget)) is not None), False)


def _without_blanks(line: bytes) -> bytes:
    """A line without the blanks at its end, except one that is escaped."""
    kept = line.rstrip(b" ")
    escapes = len(kept) - len(kept.rstrip(b"\\"))
    return line[: len(kept) + 1] if escapes % 2 and kept != line else kept


def _split(text: bytes) -> list[bytes]:
    """The parts of a pattern between slashes; one in brackets is no separator."""
    parts: list[bytes] = []
    start = position = 0
    while position < len(text):
        end = _end(text, position)
        if text[position:end] in (b"/", b"\\/"):
            parts.append(text[start:position])
            start = end
        position = end
    return [*parts, text[start:]]


def _end(text: bytes, position: int) -> int:
    """Where the token at a position ends."""
    if text[position] == ord("\\"):
        return position + 2
    if text[position] == ord("["):
        return _bracket(text, position)[1]
    return position + 1


def _segment(text: bytes) -> Segment:
    tokens: list[Token | None] = []
    position = 0
    while position < len(text):
        byte, end = text[position], position + 1
        token: Token | None = frozenset((byte,))
        if byte == ord("*"):
            token = None
        elif byte == ord("?"):
            token = _ANY
        elif byte == ord("["):
            token, end = _bracket(text, position)
        elif byte == ord("\\"):
            if end == len(text):
                raise _Never
            token, end = frozenset((text[end],)), end + 1
        if token is not None or not tokens or tokens[-1] is not None:
            tokens.append(token)
        position = end
    return tuple(tokens)


def _bracket(text: bytes, start: int) -> tuple[frozenset[int], int]:
    """The bytes that a bracket expression stands for, and where it ends."""
    position = start + 1
    negated = text[position : position + 1] in (b"!", b"^")
    position += negated
    found: set[int] = set()
    first = position
    before: int | None = None  # may begin a range
    while text[position : position + 1] != b"]" or position == first:
        name = _class_at(text, position)
        if name is not None:
            found |= _class(name)
            before, position = None, position + len(name) + 4
            continue
        is_range = text[position : position + 1] == b"-" and before is not None
        if is_range and text[position + 1 : position + 2] not in (b"]", b""):
            last, position = _literal(text, position + 1)
            found.update(range(before or 0, last + 1))
            before = None
            continue
        before, position = _literal(text, position)
        found.add(before)
    return (_ANY - found if negated else frozenset(found)), position + 1


def _literal(text: bytes, position: int) -> tuple[int, int]:
    position += text[position : position + 1] == b"\\"
    if position >= len(text):
        raise _Never
    return text[position], position + 1


def _class_at(text: bytes, position: int) -> bytes | None:
    """The name in `[:name:]`, None where none begins there."""
    stop = text.find(b"]", position + 2) if text.startswith(b"[:", position) else -1
    return text[position + 2 : stop - 1] if stop > position + 2 and text[stop - 1] == ord(":") else None


def _class(name: bytes) -> set[int]:
    if name not in _CLASSES:
        raise _Never
    belongs = _CLASSES[name]
    return {byte for byte in range(128) if belongs(bytes((byte,)))}


def _fits(segment: Segment, name: bytes, budget: Budget) -> bool:
    return _match(segment, name, _is_one_of, budget)


def _is_one_of(token: Token, byte: int, _: Budget) -> bool:
    return byte in token


def _match(
    parts: Sequence[_Part | None], items: Sequence[_Item], fits: Callable[[_Part, _Item, Budget], bool], budget: Budget
) -> bool:
    """Whether items fit parts one to one, where a None takes any number of them.

    Only the last None is ever tried again: what an earlier one takes longer, the later one can take as well.
    """
    part = item = resumed = steps = 0
    star = -1
    while item < len(items):
        steps += 1
        wanted = parts[part] if part < len(parts) else None
        if part < len(parts) and wanted is None:
            star, resumed = part, item
            part += 1
        elif wanted is not None and fits(wanted, items[item], budget):
            part += 1
            item += 1
        elif star >= 0:
            resumed += 1
            part, item = star + 1, resumed
        else:
            break
    budget.spend("", steps=steps + 1)
    return item == len(items) and all(one is None for one in parts[part:])
