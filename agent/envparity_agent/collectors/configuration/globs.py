"""Which files below a root a pattern names: `/etc/shop/*.ini`, each `*` within one part of the path."""

import re
from fnmatch import fnmatchcase

from envparity_agent.collectors.paths import join
from envparity_agent.errors import Unreadable
from envparity_agent.fingerprint import Reason
from envparity_agent.root import Root

MAX_MATCHES = 1000

_MAGIC = re.compile(r"[*?\[]")


def is_pattern(path: str) -> bool:
    """Whether a path may name several files."""
    return bool(_MAGIC.search(path))


def matches(root: Root, pattern: str) -> list[str]:
    """The paths that a pattern names, relative to the root, in order; the path itself where it is no pattern.

    As in a shell `*` names nothing hidden. Raises Unreadable, with `cap` where there are too many.
    """
    found = [""]
    for segment in filter(None, pattern.split("/")):
        if _MAGIC.search(segment):
            found = [join(path, name) for path in found for name in _names(root, path, segment)]
        else:
            found = [join(path, segment) for path in found]
        if len(found) > MAX_MATCHES:
            raise Unreadable(pattern, Reason.CAP)
    if not is_pattern(pattern):
        return found
    return [path for path in found if root.stat(path) and not root.is_directory(path)]


def _names(root: Root, path: str, segment: str) -> list[str]:
    hidden = segment.startswith(".")
    return [name for name in root.names(path) if fnmatchcase(name, segment) and hidden == name.startswith(".")]
