"""Variables in compose files and `.env` files: `$NAME`, `${NAME:-default}` and the other forms.

Values come from the `.env` file beside a compose file only: the agent's own environment is not the one in which the
file is used. https://docs.docker.com/reference/compose-file/interpolation/
"""

import re
from collections.abc import Mapping

from envparity_agent.collectors.declared.source import Source

MAX_NESTED = 20  # defaults within defaults
MAX_TEXT = 256 * 1024
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LINE = re.compile(r"\s{0,99}(?:export\s{1,99})?([A-Za-z_][A-Za-z0-9_.-]*)\s{0,99}[=:](.*)", re.DOTALL)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\", "$": "$"}


class Unresolved(Exception):
    """A variable has no value in the files: who starts the services may give one."""


def interpolated(text: str, variables: Mapping[str, str], depth: int = 0) -> str:
    """The text with its variables replaced; raises Unresolved."""
    if depth > MAX_NESTED or len(text) > MAX_TEXT:
        raise Unresolved(text[:80])
    found: list[str] = []
    position = 0
    while (start := text.find("$", position)) >= 0:
        found.append(text[position:start])
        position = start + 1
        if text.startswith("$", position):
            found.append("$")
            position += 1
        elif text.startswith("{", position):
            end = _closing(text, position)
            found.append(_braced(text[position + 1 : end], variables, depth))
            position = end + 1
        elif name := _NAME.match(text, position):
            found.append(_value(name[0], variables))
            position = name.end()
        else:
            found.append("$")
    return "".join([*found, text[position:]])


def _closing(text: str, position: int) -> int:
    """Where the brace that opens here is closed."""
    depth = 0
    for place in range(position, len(text)):
        if text.startswith("${", place - 1) or place == position:
            depth += 1
        elif text[place] == "}":
            depth -= 1
            if not depth:
                return place
    raise Unresolved(text[position : position + 80])


def _braced(inner: str, variables: Mapping[str, str], depth: int) -> str:
    name = _NAME.match(inner)
    if not name:
        raise Unresolved(inner[:80])
    rest = inner[name.end() :]
    if not rest:
        return _value(name[0], variables)
    operator = rest[:2] if rest.startswith(":") else rest[:1]
    value = variables.get(name[0])
    there = bool(value) if operator.startswith(":") else value is not None
    if operator in (":-", "-"):
        return value or "" if there else interpolated(rest[len(operator) :], variables, depth + 1)
    if operator in (":+", "+"):
        return interpolated(rest[len(operator) :], variables, depth + 1) if there else ""
    if operator in (":?", "?") and there:
        return value or ""
    raise Unresolved(name[0])


def _value(name: str, variables: Mapping[str, str]) -> str:
    if name not in variables:
        raise Unresolved(name)
    return variables[name]


def read_env(source: Source) -> dict[str, str]:
    """The variables of a `.env` file, those that depend on others than its own left out; raises UsageError."""
    found: dict[str, str] = {}
    rows = source.text().replace("\r\n", "\n").split("\n")
    position = 0
    while position < len(rows):
        start = position
        row = rows[position]
        position += 1
        if not row.strip() or row.lstrip().startswith("#"):
            continue
        parsed = _LINE.fullmatch(row)
        if parsed is None:
            if _NAME.fullmatch(row.strip().removeprefix("export ").strip()):
                continue  # a name alone: whoever starts the services gives the value
            raise source.error(start + 1, "not NAME=VALUE")
        name, text = parsed[1], parsed[2].strip()
        if text[:1] in ("'", '"'):
            quoted = [text]
            while not _is_closed(quoted[-1], text[0], first=len(quoted) == 1):
                if position == len(rows):
                    raise source.error(start + 1, f"{name}: the quote does not end")
                quoted.append(rows[position])
                position += 1
            text = "\n".join(quoted)
        try:
            found[name] = _unquoted(text, found)
        except Unresolved:
            found.pop(name, None)
    return found


def _is_closed(row: str, quote: str, first: bool) -> bool:
    return _end(row, quote, 1 if first else 0) >= 0


def _end(text: str, quote: str, position: int) -> int:
    """Where a quoted text ends; -1 where it does not."""
    while position < len(text):
        if text[position] == "\\" and quote == '"':
            position += 2
        elif text[position] == quote:
            return position
        else:
            position += 1
    return -1


def _unquoted(text: str, variables: Mapping[str, str]) -> str:
    if text.startswith("'"):
        return text[1 : _end(text, "'", 1)]
    if text.startswith('"'):
        inner = text[1 : _end(text, '"', 1)].replace("\\$", "$$")
        return interpolated(re.sub(r'\\([nrt"\\])', lambda found: _ESCAPES[found[1]], inner), variables)
    bare = re.split(r"(?:^|\s)#", text, maxsplit=1)[0]
    return interpolated(bare.strip(), variables)
