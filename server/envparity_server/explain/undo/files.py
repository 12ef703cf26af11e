"""How a pin is written into a file that declares Python distributions, or given to the tool whose lock it is."""

import json
import posixpath
from collections.abc import Callable, Mapping

from envparity_agent.fingerprint import Attributes
from envparity_server.explain.undo.sides import Sides
from envparity_server.explain.undo.words import command, line

# base name -> the tool that locks one distribution at a version
_LOCKERS: Mapping[str, Callable[[str], str]] = {
    "uv.lock": lambda pin: command("uv", "lock", "--upgrade-package", pin),
    "poetry.lock": lambda pin: command("poetry", "add", pin),
    "Pipfile.lock": lambda pin: command("pipenv", "upgrade", pin),
}


def pinned(sides: Sides, requirement: str, declared: Attributes | None, hashes: list[str]) -> str:
    """The line that the bad side's file is to have for one distribution, or the command that changes the lock."""
    file = file_of(sides, declared)
    locker = _LOCKERS.get(posixpath.basename(file))
    if locker:
        return locker(requirement)
    allowed = "".join(f" --hash={one}" for one in hashes) if (declared or {}).get("hashes") else ""
    return line(file, _entry(file, f"{requirement}{allowed}"), (declared or {}).get("line"))


def dropped(sides: Sides, requirement: str, declared: Attributes | None) -> str | None:
    """The line with the distribution commented out; None for a lock, which follows from another file."""
    file = file_of(sides, declared)
    if posixpath.basename(file) in _LOCKERS:
        return None
    return line(file, f"# {_entry(file, requirement)}", (declared or {}).get("line"))


def file_of(sides: Sides, declared: Attributes | None) -> str:
    """The file that declares it: the one that a person named, or one that this includes."""
    named = sides.situation.bad.target.name
    via = (declared or {}).get("via")
    first = next(iter(via), "") if isinstance(via, tuple) else ""
    flag, _, included = first.partition(" ")
    return posixpath.join(posixpath.dirname(named), included) if flag in ("-r", "-c") and included else named


def _entry(file: str, requirement: str) -> str:
    if file.endswith((".yml", ".yaml")):
        return f"- {requirement}"
    return json.dumps(requirement) if file.endswith("pyproject.toml") else requirement
