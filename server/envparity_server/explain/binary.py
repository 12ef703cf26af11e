"""A witness of compiled modules that were built for another version of what they are linked with.

An extension module is built against the C API of the distribution that it takes array or object types from. With
another major version of that its layout may not be what was compiled in, and importing the module fails.
"""

import re
from collections.abc import Iterator

from packaging.utils import canonicalize_name

from envparity_agent.fingerprint import Attributes
from envparity_server.compare.model import Distance, State
from envparity_server.explain.model import Evidence, Situation, Suspect

_POINTS = 4.0
_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]*")


def binary(situation: Situation) -> Iterator[Evidence]:
    """Evidence against a compiled distribution of another major version that unchanged compiled ones require."""
    counterparts = {pair.left: pair.right for pair in situation.comparison.pairs}
    for suspect, differences in sorted(situation.suspects.items()):
        moved = next((one for one in differences if one.attribute == "version" and one.kind == "python"), None)
        if moved is None or moved.state != State.CHANGED or moved.distance != Distance.MAJOR:
            continue
        good = situation.good.sections.get(suspect.section)
        bad = situation.bad.sections.get(counterparts.get(suspect.section, suspect.section))
        if good is None or bad is None:
            continue
        if not _is_compiled(good.items.get(suspect.item, {})) or not _is_compiled(bad.items.get(suspect.item, {})):
            continue
        users = [
            f"{name} {body.get('version')}"
            for name, body in sorted(bad.items.items())
            if _is_compiled(body) and suspect.item in _required(body) and not _differs(situation, suspect.section, name)
        ]
        if users:
            text = (
                f"{', '.join(users[:3])} {'has' if len(users) == 1 else 'have'} compiled modules and "
                f"{'requires' if len(users) == 1 else 'require'} {suspect.item}, whose compiled modules moved from "
                f"{moved.left} to {moved.right}: what was built against one major version may not load with another"
            )
            yield Evidence(suspect, _POINTS, text)


def _is_compiled(body: Attributes) -> bool:
    tags = body.get("tags")
    return isinstance(tags, tuple) and bool(tags) and not any(tag.endswith("-any") for tag in tags)


def _required(body: Attributes) -> set[str]:
    """The distributions that one requires, those for its extras left out."""
    requires = body.get("requires")
    plain = (one for one in requires if "extra" not in one.partition(";")[2]) if isinstance(requires, tuple) else ()
    return {canonicalize_name(match[0]) for match in map(_NAME.match, plain) if match}


def _differs(situation: Situation, section: str, item: str) -> bool:
    return Suspect(section, item) in situation.suspects
