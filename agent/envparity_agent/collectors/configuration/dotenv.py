"""Reads the assignments of a .env file as data: nothing in it is expanded or executed.

What programs agree on: comments, `export`, quotes, escapes between double quotes. See
https://docs.docker.com/reference/compose-file/interpolation/#env_file-syntax-and-interpolation
"""

import re

_BETWEEN = re.compile(r"(?:[ \t\n]|#[^\n]*)*")
_NAME = re.compile(r"(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_.-]*)[ \t]*(?:=[ \t]*|(?=\n)|\Z)")
_SINGLE = re.compile(r"'([^']*)'")
_DOUBLE = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_REST = re.compile(r"[ \t]*(?:#[^\n]*)?(?:\n|\Z)")
_LINE = re.compile(r"[^\n]*")
_COMMENT = re.compile(r"[ \t]#")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\", "$": "$"}


def parse(text: str) -> dict[str, str]:
    """Name -> value, the last one where a name is assigned twice; raises ValueError for what is no assignment."""
    text = text.replace("\r\n", "\n")
    found: dict[str, str] = {}
    position = _after(_BETWEEN, text, 0)
    while position < len(text):
        name = _NAME.match(text, position)
        if name is None:
            raise ValueError(f"no assignment at character {position}")
        found[name.group(1)], position = _value(text, name.end())
        position = _after(_BETWEEN, text, position)
    return found


def _after(pattern: re.Pattern[str], text: str, position: int) -> int:
    found = pattern.match(text, position)
    if found is None:
        raise ValueError(f"a quote that does not end at character {position}")
    return found.end()


def _value(text: str, position: int) -> tuple[str, int]:
    """The value that starts at a position, and where what follows it starts."""
    first = text[position : position + 1]
    if first not in ("'", '"'):
        line = _LINE.match(text, position)
        bare = line.group() if line else ""
        comment = _COMMENT.search(bare)
        return bare[: comment.start() if comment else None].strip(), position + len(bare)
    quoted = (_SINGLE if first == "'" else _DOUBLE).match(text, position)
    if quoted is None:
        raise ValueError(f"a quote that does not end at character {position}")
    inner = quoted.group(1)
    value = inner if first == "'" else _ESCAPE.sub(lambda found: _ESCAPES.get(found.group(1), found.group()), inner)
    return value, _after(_REST, text, quoted.end())
