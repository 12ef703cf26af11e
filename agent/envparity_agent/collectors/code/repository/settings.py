"""Parses the configuration file of a git repository: https://git-scm.com/docs/git-config#_syntax.

Included files are not read: they may lie anywhere, and what matters here is written by `git init` and `git clone`.
"""

import re
from collections.abc import Iterator, Mapping

_HEADER = re.compile(r'\[\s*([A-Za-z0-9.-]+)(?:\s+"((?:[^"\\]|\\.)*)")?\s*\]')
_ESCAPED = re.compile(r"\\(.)")
_KEY = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
_ESCAPES = {"n": "\n", "t": "\t", "b": "\b", "\\": "\\", '"': '"'}
_TRUE = ("true", "yes", "on")
_FALSE = ("false", "no", "off", "")

Settings = Mapping[str, str]


def parse(content: bytes) -> dict[str, str]:
    """`section.key` or `section.subsection.key` -> the last value; ValueError where a line follows no rule."""
    found: dict[str, str] = {}
    section = ""
    lines = iter(content.decode("utf-8", "surrogateescape").removeprefix("\ufeff").split("\n"))
    for line in lines:
        rest = line.strip()
        while header := _HEADER.match(rest):
            name, inner = header[1].lower(), header[2]
            section = name if inner is None else f"{name}." + _ESCAPED.sub(r"\1", inner)
            rest = rest[header.end() :].strip()
        if not rest or rest[0] in "#;":
            continue
        key = _KEY.match(rest)
        if not key or not section:
            raise ValueError("no key and no section")
        after = rest[key.end() :].lstrip()
        if after and after[0] != "=":
            raise ValueError("no value after a key")
        found[f"{section}.{key[0].lower()}"] = _value(after[1:], lines) if after.startswith("=") else "true"
    return found


def _value(text: str, lines: Iterator[str]) -> str:
    """The value that begins with this text; a backslash at the end of a line goes on with the next one."""
    out: list[str] = []
    kept = 0  # length without the blanks at the end that are not quoted
    quoted = False
    rest = iter(text.strip())
    while (character := next(rest, None)) is not None:
        if character == "\\":
            escaped = next(rest, None)
            if escaped is None:
                rest = iter(next(lines, "").rstrip())
                continue
            out.append(_escaped(escaped))
        elif character == '"':
            quoted = not quoted
        elif character in "#;" and not quoted:
            break
        elif out or quoted or not character.isspace():
            out.append(character)
        if quoted or character == '"' or not character.isspace():
            kept = len(out)
    if quoted:
        raise ValueError("a quote that does not end")
    return "".join(out[:kept])


def _escaped(character: str) -> str:
    if character not in _ESCAPES:
        raise ValueError("an unknown escape")
    return _ESCAPES[character]


def flag(settings: Settings, name: str, default: bool) -> bool:
    """A setting that is true or false; ValueError where it is neither."""
    value = settings.get(name)
    if value is None:
        return default
    if value.lower() in _TRUE:
        return True
    if value.lower() in _FALSE:
        return False
    return int(value) != 0
