"""Tells what the application's own source imports and names, as far as it was told."""

import re
from collections.abc import Mapping

from envparity_agent.fingerprint import Attributes, as_texts
from envparity_server.explain.model import Situation

_IMPORT = re.compile(r"^\d+[a-z]* (?:import |from )([\w.]+)(?: import (\w+))?")


def imports(situation: Situation) -> frozenset[str]:
    """The modules that it imports, in full: `os.path` for `from os import path`, also where path is no module."""
    uses = [use for body in _modules(situation).values() for use in as_texts(body.get("uses"))]
    return frozenset(".".join(filter(None, match.groups())) for use in uses if (match := _IMPORT.match(use)))


def tops(situation: Situation) -> frozenset[str]:
    """The first word of each module that it imports."""
    return frozenset(one.partition(".")[0] for one in imports(situation))


def texts(situation: Situation) -> Mapping[str, str]:
    """Each short text and field of its source, with the first file that has it."""
    found: dict[str, str] = {}
    for file, body in sorted(_modules(situation).items()):
        for text in as_texts(body.get("texts")):
            found.setdefault(text, file)
    return found


def _modules(situation: Situation) -> Mapping[str, Attributes]:
    return situation.application.items if situation.application else {}
