"""What an installer is asked for so that a distribution is what the good side has: a pin, a commit, a URL, a range.

https://packaging.python.org/en/latest/specifications/version-specifiers/#direct-references
"""

import re
from typing import NamedTuple

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import is_normalized_name
from packaging.version import InvalidVersion, Version

from envparity_agent.fingerprint import Attributes, Value
from envparity_server.explain.undo.sides import text_of

_HIDDEN = "…"  # in a URL of which something was not told
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+!_-]*")  # what no PEP 440 knows, and no option or URL either
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s\"'\\;`$]+")


class Goal(NamedTuple):
    """A requirement for an installer, and what a person has to know of it."""

    requirement: str
    note: str = ""


def goal_of(name: str, body: Attributes) -> Goal | None:
    """What to ask for; None for a name or a version that is none, and could be anything in a command or a file."""
    if not is_normalized_name(name):
        return None
    version, source, commit = (text_of(body, one) for one in ("version", "source", "commit"))
    if source and not body.get("editable") and _URL.fullmatch(source) and _HIDDEN not in source:
        return _direct(name, body, source, commit)
    if not version:
        return _ranged(name, text_of(body, "specifier"))
    if not _VERSION.fullmatch(version):
        return None
    notes = []
    if source and not body.get("editable"):
        notes.append(f"The good side has it from a URL that is not told, commit {commit}." if commit else
                     "The good side has it from a URL that is not told in full.")  # fmt: skip
    parsed = _parsed(version)
    if parsed is not None and parsed.local:
        notes.append(f"{version} is a local version: name the index that has it with --extra-index-url.")
    return Goal(f"{name}=={version}", " ".join(notes))


def hashes_of(body: Attributes | None) -> list[str]:
    """The SHA-256 hashes of the archive that it was installed from, or that a file allows; none where not known."""
    told: Value = (body or {}).get("archive") or (body or {}).get("hashes")
    return [one for one in told if re.fullmatch(r"sha256:[0-9a-f]{64}", one)] if isinstance(told, tuple) else []


def _direct(name: str, body: Attributes, source: str, commit: str) -> Goal:
    if commit:
        place = source if "+" in source.partition("://")[0] else f"git+{source}"
        return Goal(f"{name} @ {place}@{commit}")
    note = f"Copy {source} from the good side first." if source.startswith("file:") else ""
    hashes = hashes_of(body)
    fragment = f"#{hashes[0].replace(':', '=')}" if hashes and "#" not in source else ""
    return Goal(f"{name} @ {source}{fragment}", note)


def _ranged(name: str, specifier: str) -> Goal | None:
    try:
        SpecifierSet(specifier)
    except InvalidSpecifier:
        return None
    return Goal(f"{name}{specifier}")


def _parsed(version: str) -> Version | None:
    try:
        return Version(version)
    except (InvalidVersion, ValueError):
        return None
