"""A project's own file: which differences it expects, and how severe others are; read and checked for its shape.

`envparity.toml`, or the table `[tool.envparity]` of `pyproject.toml`: the nearest one from the current directory up to
the root of its repository (the directory with `.git`); outside of a repository, of the current directory alone. What
globs, selectors and severities mean is the comparing side's: `envparity_server.drift.rules`.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

from envparity_agent.errors import UsageError

FILE, SHARED_FILE = "envparity.toml", "pyproject.toml"
MAX_RULES = 1000  # and as many severities
MAX_TEXT = 1024
_MAX_FILE = 1024 * 1024
_KEYS = ("match", "hosts", "reason", "owner", "expires", "severity")
_REQUIRED = ("match", "reason")
_HEADER = re.compile(r"\s*\[\[\s*(?:tool\.envparity\.)?rule\s*\]\]")


class WrongRule(UsageError):
    """A rule, or a severity, is not of its form; `key` is what is wrong in it."""

    def __init__(self, key: str, message: str, advice: str = "") -> None:
        super().__init__(message, advice)
        self.key = key


@dataclass(frozen=True)
class Project:
    """What a project's file says, as a gate sends it; `text` is kept to tell lines."""

    path: str = ""  # empty: there is no file
    rules: tuple[Mapping[str, Any], ...] = ()  # each as `checked_rule` gives it
    severity: tuple[Mapping[str, Any], ...] = ()  # each as `checked_severity` gives it
    text: str = ""

    def place(self, key: str, number: int | None = None) -> str:
        """Where a key is, in the rule of a number (from 0) if one is given: `envparity.toml, line 7`."""
        lines = self.text.splitlines()
        first, last = 0, len(lines)
        if number is not None:
            headers = [position for position, line in enumerate(lines) if _HEADER.match(line)]
            if number < len(headers):
                first, last = headers[number], [*headers, len(lines)][number + 1]
        wanted = re.compile(rf"""\s*\[*\s*(?:tool\.envparity\.)?["']?{re.escape(key)}["']?\s*[=.\]]""")
        found = (position for position in range(first, last) if wanted.match(lines[position]))
        return f"{self.path}, line {next(found, first) + 1}"


NONE = Project()


def read_project(file: str | None = None, wanted: bool = True) -> Project:
    """The file that is named, else the nearest one; an empty project where there is none or it is not wanted.

    Raises UsageError with file, line and key for what is not TOML, unknown, missing or of a wrong type.
    """
    if file is not None and not wanted:
        raise UsageError("--rules and --no-rules exclude each other", "give one of them")
    if not wanted:
        return NONE
    candidates = [Path(file)] if file is not None else list(_nearby(Path.cwd()))
    for path in candidates:
        text = _read(path, named=file is not None)
        table = _table(path, text)
        if table is not None:
            return _project(path, text, table)
    return NONE


def _nearby(here: Path) -> Iterator[Path]:
    """Where a project's file may be, the nearest first."""
    above = [here, *here.parents]
    root = next((number for number, one in enumerate(above) if (one / ".git").exists()), 0)
    for directory in above[: root + 1]:
        yield from (path for path in (directory / FILE, directory / SHARED_FILE) if path.is_file())


def _read(path: Path, named: bool) -> str:
    advice = "" if named else "correct it, or leave it out: --no-rules"
    try:
        with path.open("rb") as file:
            body = file.read(_MAX_FILE + 1)
        if len(body) > _MAX_FILE:
            raise UsageError(f"{path} is over {_MAX_FILE} bytes", advice)
        return body.decode("utf-8")
    except OSError as problem:
        raise UsageError(f"{path}: {problem.strerror}", advice) from None
    except UnicodeDecodeError as problem:
        raise UsageError(f"{path}: {problem}", advice) from None


def _table(path: Path, text: str) -> Mapping[str, Any] | None:
    """What the file says about envparity; None for a `pyproject.toml` that says nothing."""
    try:
        values = tomllib.loads(text)
    except (ValueError, RecursionError) as problem:  # TOMLDecodeError says the line
        raise UsageError(f"{path}: {problem}", "correct it, or leave it out: --no-rules") from None
    if path.name != SHARED_FILE:
        return values
    tool = values.get("tool")
    table = tool.get("envparity") if isinstance(tool, dict) else None
    return table if isinstance(table, dict) else None


def _project(path: Path, text: str, table: Mapping[str, Any]) -> Project:
    bare = Project(str(path), text=text)
    for key in table:
        if key not in ("rule", "severity"):
            raise UsageError(f"{bare.place(key)}: unknown key {key!r}", "known keys: rule, severity")
    rules, severity = table.get("rule", []), table.get("severity", {})
    if not isinstance(rules, list):
        raise UsageError(f"{bare.place('rule')}: rule is not a list of tables", "write [[rule]]")
    if not isinstance(severity, dict):
        raise UsageError(f"{bare.place('severity')}: severity is not a table", 'write [severity] and "GLOB" = "high"')
    for key, values in (("rule", rules), ("severity", severity)):
        if len(values) > MAX_RULES:
            raise UsageError(f"{bare.place(key)}: more than {MAX_RULES} of {key}", "say it with fewer, wider globs")
    checked = []
    for number, rule in enumerate(rules):
        try:
            checked.append(checked_rule(rule))
        except WrongRule as problem:
            raise UsageError(f"{bare.place(problem.key, number)}: {problem}", problem.advice) from None
    rated = []
    for glob, value in severity.items():
        try:
            rated.append(checked_severity({"match": glob, "severity": value}))
        except WrongRule as problem:
            raise UsageError(f"{bare.place(glob)}: {problem}", problem.advice) from None
    return Project(str(path), tuple(checked), tuple(rated), text)


def checked_rule(rule: object) -> dict[str, Any]:
    """A rule with all of its keys, each of its type; `expires` as ISO 8601 in UTC. Raises WrongRule."""
    if not isinstance(rule, Mapping):
        raise WrongRule("rule", "a rule is not a table", "write [[rule]], match = ... and reason = ...")
    for key in rule:
        if key not in _KEYS:
            raise WrongRule(str(key), f"unknown key {str(key)[:40]!r}", f"keys of a rule: {', '.join(_KEYS)}")
    for key in _REQUIRED:
        if key not in rule:
            raise WrongRule("rule", f"the rule has no {key}", f"every rule needs {' and '.join(_REQUIRED)}")
    found = {key: _text(key, rule.get(key, ""), key in _REQUIRED) for key in ("match", "hosts", "reason", "owner")}
    expires = rule.get("expires")
    severity = rule.get("severity")
    return {
        **found,
        "expires": None if expires is None else _moment(expires),
        "severity": None if severity is None else _text("severity", severity, True),
    }


def checked_severity(entry: object) -> dict[str, Any]:
    """A glob with its severity, or with one for each version distance. Raises WrongRule."""
    if not isinstance(entry, Mapping) or entry.keys() != {"match", "severity"}:
        raise WrongRule("severity", "a severity has a match and a severity, and nothing else")
    glob, value = _text("match", entry["match"], True), entry["severity"]
    if not isinstance(value, Mapping):
        return {"match": glob, "severity": _text("severity", value, True)}
    return {"match": glob, "severity": {str(key): _text(str(key), one, True) for key, one in value.items()}}


def _text(key: str, value: object, required: bool) -> str:
    if not isinstance(value, str):
        raise WrongRule(key, f"{key[:40]} is not a text")
    if len(value) > MAX_TEXT or "\0" in value:
        raise WrongRule(key, f"{key[:40]} is longer than {MAX_TEXT} characters, or has a NUL character")
    if required and not value.strip():
        raise WrongRule(key, f"{key[:40]} is empty")
    return value


def _moment(value: object) -> str:
    """A date (its beginning, in UTC) or a moment (in UTC where it has no offset) as ISO 8601."""
    advice = "write expires = 2027-03-01"
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else value
        if isinstance(moment, date) and not isinstance(moment, datetime):
            moment = datetime.combine(moment, time())
        if not isinstance(moment, datetime):
            raise WrongRule("expires", "expires is not a date", advice)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC).isoformat()
    except (ValueError, OverflowError):
        raise WrongRule("expires", "expires is not a date", advice) from None
