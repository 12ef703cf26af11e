"""The syntax of Dockerfiles: instructions with continuations and heredocs, words, and variables.

A parser of our own: dockerfile-parse 2.0.1 reads the lines of a heredoc as instructions, ends an instruction at an
empty line of a continuation, and drops one that ends the file in a continuation.
https://docs.docker.com/reference/dockerfile/#format
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from envparity_agent.collectors.declared.source import Source

MAX_INSTRUCTIONS = 10_000
MAX_VALUE = 256 * 1024  # characters of one expanded text
_DIRECTIVE = re.compile(r"#\s{0,9}(\w{1,20})\s{0,9}=\s{0,9}(\S+)\s{0,9}")
_HEREDOC = re.compile(r"<<-?(?P<quote>[\"']?)(?P<word>[A-Za-z_][A-Za-z0-9_]*)(?P=quote)")
_WITH_HEREDOC = frozenset({"RUN", "COPY", "ADD"})
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

Lookup = Callable[[str], str | None]


class Unknown(Exception):
    """A text depends on what is not in the file: a variable of the base image, an argument without a default."""


@dataclass(frozen=True)
class Instruction:
    """One instruction: its word in capitals, its text on one line, the bodies of its heredocs, and its line."""

    word: str
    value: str
    line: int
    bodies: tuple[str, ...] = ()


def instructions(source: Source) -> tuple[list[Instruction], str]:
    """The instructions of a Dockerfile, and its escape character; raises UsageError."""
    lines = source.text().replace("\r\n", "\n").split("\n")
    escape = _escape(lines)
    found: list[Instruction] = []
    position = 0
    while position < len(lines):
        start = position
        parts: list[str] = []
        position = _logical(lines, position, escape, parts)
        text = "".join(parts).strip()
        if not text:
            continue
        word, _, value = text.partition(" ") if " " in text else text.partition("\t")
        word, value = word.strip().upper(), value.strip()
        if not word.isalpha():
            raise source.error(start + 1, f"not an instruction: {text[:80]!r}")
        bodies: list[str] = []
        if word in _WITH_HEREDOC:
            for heredoc in _HEREDOC.finditer(value):
                position = _body(source, lines, position, heredoc["word"], bodies, start + 1)
        found.append(Instruction(word, value, start + 1, tuple(bodies)))
        if len(found) > MAX_INSTRUCTIONS:
            raise source.error(start + 1, f"more than {MAX_INSTRUCTIONS} instructions")
    return found, escape


def _escape(lines: list[str]) -> str:
    """What the directive `escape` says: a backslash, or a backtick where the file is made on Windows."""
    for line in lines:
        found = _DIRECTIVE.fullmatch(line.strip())
        if not found:
            break
        if found[1].lower() == "escape" and found[2] in ("\\", "`"):
            return found[2]
    return "\\"


def _logical(lines: list[str], position: int, escape: str, parts: list[str]) -> int:
    """Gather the physical lines of one instruction; comments and empty lines between them are left out."""
    while position < len(lines):
        line = lines[position]
        position += 1
        bare = line.strip()
        if not bare or bare.startswith("#"):
            if not parts:
                return position
            continue
        stripped = line.rstrip(" \t")
        if not stripped.endswith(escape):
            parts.append(line)
            return position
        parts.append(stripped[:-1])
    return position


def _body(source: Source, lines: list[str], position: int, word: str, bodies: list[str], start: int) -> int:
    rows: list[str] = []
    for end in range(position, len(lines)):
        if lines[end].lstrip("\t") == word:
            bodies.append("\n".join(rows))
            return end + 1
        rows.append(lines[end])
    raise source.error(start, f"the heredoc {word[:80]} has no end")


def listed(value: str) -> tuple[str, ...] | None:
    """The words of the exec form; None for the shell form."""
    if not value.startswith("["):
        return None
    try:
        found = json.loads(value)
    except (ValueError, RecursionError):
        return None
    return tuple(found) if isinstance(found, list) and all(isinstance(one, str) for one in found) else None


def heredoc_free(value: str) -> str:
    """The text of an instruction without its heredoc words."""
    return _HEREDOC.sub("", value).strip()


def flags(value: str) -> tuple[dict[str, list[str]], str]:
    """The options that an instruction begins with, each with its values, and the rest of the text."""
    found: dict[str, list[str]] = {}
    while value.startswith("--"):
        option, _, rest = value.partition(" ")
        name, _, given = option[2:].partition("=")
        found.setdefault(name, []).append(given)
        value = rest.lstrip()
    return found, value


def words(text: str, lookup: Lookup, escape: str) -> list[str]:
    """The words of a text, quotes resolved and variables replaced; raises Unknown."""
    return [expand(one, lookup, escape) for one in split(text, escape)]


def split(text: str, escape: str) -> list[str]:
    """The words of a text as they are written, with their quotes."""
    found: list[str] = []
    current: list[str] = []
    quote = ""
    characters = iter(text)
    for character in characters:
        if character == escape and quote != "'":
            current.append(character + next(characters, ""))
        elif quote:
            quote = "" if character == quote else quote
            current.append(character)
        elif character in " \t":
            if current:
                found.append("".join(current))
            current = []
        else:
            quote = character if character in "\"'" else ""
            current.append(character)
    return [*found, "".join(current)] if current else found


def expand(text: str, lookup: Lookup, escape: str) -> str:
    """A word without its quotes and with the values of its variables; raises Unknown."""
    found: list[str] = []
    size = position = 0
    quote = ""
    while position < len(text):
        character = text[position]
        if character == escape and quote != "'":
            following = text[position + 1 : position + 2]
            # within double quotes only these are escaped
            found.append(following if not quote or following in ('"', "$", escape) else character + following)
            position += 2
        elif character == quote:
            quote, position = "", position + 1
        elif not quote and character in "\"'":
            quote, position = character, position + 1
        elif character == "$" and quote != "'":
            value, position = _variable(text, position + 1, lookup)
            found.append(value)
        else:
            found.append(character)
            position += 1
        size += len(found[-1]) if found else 0
        if size > MAX_VALUE:
            raise Unknown(text)
    return "".join(found)


def _variable(text: str, position: int, lookup: Lookup) -> tuple[str, int]:
    """The value of the variable whose name begins here, and where the text goes on."""
    braced = text.startswith("{", position)
    name = _NAME.match(text, position + braced)
    if not name:
        if braced:
            raise Unknown(text)
        return "$", position
    if not braced:
        return known(name[0], lookup), name.end()
    end = text.find("}", name.end())
    if end < 0 or "$" in text[name.end() : end]:  # a default that is a variable itself
        raise Unknown(text)
    return _modified(name[0], text[name.end() : end], lookup), end + 1


def _modified(name: str, modifier: str, lookup: Lookup) -> str:
    """`${NAME}`, `${NAME:-default}` and `${NAME:+instead}`; the patterns of newer syntaxes are not evaluated."""
    if not modifier:
        return known(name, lookup)
    operator = modifier[:2] if modifier.startswith(":") else modifier[:1]
    word = modifier[len(operator) :]
    value = lookup(name)
    if value is None:
        raise Unknown(name)
    there = bool(value) if operator.startswith(":") else True
    if operator in (":-", "-"):
        return value if there else word
    if operator in (":+", "+"):
        return word if there else ""
    raise Unknown(name)


def known(name: str, lookup: Lookup) -> str:
    """The value of a variable; raises Unknown."""
    value = lookup(name)
    if value is None:
        raise Unknown(name)
    return value


def pairs(value: str, lookup: Lookup, escape: str) -> Iterator[tuple[str, str | None]]:
    """The pairs of ENV and LABEL, in both forms: `A=1 B=2` and `A the rest`; None for a value that is not known."""
    written = split(value, escape)
    if written and "=" not in written[0]:  # the old form: one name, and all that follows it
        name, _, rest = value.partition(" ")
        yield name, _known(rest.strip(), lookup, escape)
        return
    for one in written:
        name, separator, rest = one.partition("=")
        if separator:
            yield _known(name, lookup, escape) or name, _known(rest, lookup, escape)


def _known(text: str, lookup: Lookup, escape: str) -> str | None:
    try:
        return expand(text, lookup, escape)
    except Unknown:
        return None


def of(*scopes: Mapping[str, str | None]) -> Lookup:
    """Looks a variable up in one scope after the other; a name that one has without a value is not known."""

    def lookup(name: str) -> str | None:
        return next((scope[name] for scope in scopes if name in scope), None)

    return lookup
