"""Looks into the files of an application that differ between two roots, for the words that only one side has."""

import re
from contextlib import ExitStack

from envparity_agent.errors import Unreadable
from envparity_agent.fingerprint import FingerprintLike
from envparity_agent.kinds import CODE_ITEM
from envparity_agent.root import Root
from envparity_server.compare.model import DRIFT_STATES, Comparison
from envparity_server.explain.model import Rewritten, Suspect

_MOST_FILES = 200
_MOST_BYTES = 256 * 1024  # of a file: a longer one is data
_FILE = "file:"
_WORD = re.compile(r"[A-Za-z_][\w.-]*\w")


def rewritten(
    good: str, bad: str, comparison: Comparison, left: FingerprintLike, right: FingerprintLike
) -> dict[Suspect, Rewritten]:
    """What changed in each file that differs, where both targets are roots that can be read here."""
    if not all(one.startswith("root:") for one in (good, bad)):
        return {}
    found: dict[Suspect, Rewritten] = {}
    with ExitStack() as stack:
        before, after = (stack.enter_context(Root(one.removeprefix("root:"))) for one in (good, bad))
        for one in list(_files(comparison))[:_MOST_FILES]:
            was, is_now = (_words(root, _place(side, one)) for root, side in ((before, left), (after, right)))
            if was is not None and is_now is not None:
                found[one] = Rewritten(was - is_now, is_now - was)
    return found


def _files(comparison: Comparison) -> dict[Suspect, None]:
    """Each once, however many of its attributes differ."""
    return dict.fromkeys(
        Suspect(one.section, one.item)
        for one in comparison.differences
        if one.kind == "application" and one.item.startswith(_FILE) and one.state in DRIFT_STATES
    )


def _place(side: FingerprintLike, one: Suspect) -> str:
    """Where a side has the file; nothing where it has none."""
    section = side.sections.get(one.section)
    if section is None or one.item not in section.items:
        return ""
    return f"{section.items[CODE_ITEM].get('location', '')}/{one.item.removeprefix(_FILE)}"


def _words(root: Root, path: str) -> frozenset[str] | None:
    """The words of a text; none of a file that is not there, None for one that is no text or cannot be read."""
    if not path:
        return frozenset()
    try:
        content = root.read(path, _MOST_BYTES)
    except Unreadable:
        return None
    try:
        return frozenset(_WORD.findall(content.decode()))
    except UnicodeDecodeError:
        return None
