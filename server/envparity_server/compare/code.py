"""How the code of two applications is compared: one difference for one cause, and like only with like."""

from collections.abc import Iterable, Set

from envparity_agent.fingerprint import Attributes, Items
from envparity_server.compare.model import Distance, State

Finding = tuple[str, State, Distance | None]

_FILE = "file:"
# each says which code it is; of those that both sides have, the first decides
_IDENTITIES = ("commit", "revision", "tree")


def compare_code(left: Attributes, right: Attributes, differing: frozenset[str]) -> list[Finding]:
    """Findings for the item `code`; `differing` are the compared attributes that are not equal."""
    rest: list[Finding] = [
        (name, State.CHANGED, None) for name in sorted(differing - {*_IDENTITIES, "dirty", "changes"})
    ]
    identity = next((name for name in _IDENTITIES if left.get(name) and right.get(name)), None)
    if identity is None:
        return [*_of_unlike_kinds(left, right, differing), *rest]
    if identity in differing:
        return [(identity, State.CHANGED, None), *rest]
    return [*(_uncommitted(left, right, differing) if identity == "commit" else ()), *rest]


def _of_unlike_kinds(left: Attributes, right: Attributes, differing: frozenset[str]) -> list[Finding]:
    """A commit against the hash of a tree, or an identity against none that could be read."""
    found = sorted(differing & set(_IDENTITIES))
    if not found:
        return _uncommitted(left, right, differing)  # both before the first commit
    known = all(any(side.get(name) for name in _IDENTITIES) for side in (left, right))
    return [(found[0], State.INCOMPARABLE if known else State.UNKNOWN, None)]


def _uncommitted(left: Attributes, right: Attributes, differing: frozenset[str]) -> list[Finding]:
    """Of one commit: whether either side changed it, and then how; what was not told is unknown, never clean."""
    if "dirty" in differing:
        told = "dirty" in left and "dirty" in right
        return [("dirty", State.CHANGED if told else State.UNKNOWN, None)]
    if "changes" in differing:
        told = "changes" in left and "changes" in right
        return [("changes", State.CHANGED if told else State.UNKNOWN, None)]
    return []


def one_sided(left: Items, right: Items, items: Set[str]) -> Iterable[str]:
    """Those of the items on one side only that the other side would have if it had the file.

    A checkout, and a directory of very many files, list none: there the item `code` tells the difference.
    """
    if all(any(item.startswith(_FILE) for item in side) for side in (left, right)):
        return items
    return {item for item in items if not item.startswith(_FILE)}
