"""Compares values that are told in clear, by a keyed hash, or not at all: never the same by not knowing better."""

from collections.abc import Iterable

from envparity_agent.fingerprint import Attributes
from envparity_server.compare.model import Distance, State

KINDS = frozenset({"configuration", "file"})
VALUE = "value"  # the attribute that a finding about a value has, however the value is told
HIDDEN = "hidden"

_TELLING = frozenset({VALUE, "hmac", "key", HIDDEN})


def compare_values(
    left: Attributes, right: Attributes, differing: Iterable[str]
) -> list[tuple[str, State, Distance | None]]:
    """The findings of one item: each attribute that differs, and one for the value.

    A command's words that are told come first: where these differ, the hash of them all says nothing more.
    """
    changed = sorted(name for name in differing if name not in _TELLING)
    found: list[tuple[str, State, Distance | None]] = [(name, State.CHANGED, None) for name in changed]
    if "command" not in changed and (state := _of_values(left, right)) != State.SAME:
        found.append((VALUE, state, None))
    return found


def _of_values(left: Attributes, right: Attributes) -> State:
    """How two values stand to each other, as far as what is told of them says it."""
    if left.get(HIDDEN) or right.get(HIDDEN):
        return State.UNKNOWN
    if "hmac" in left and "hmac" in right:
        if left.get("key") != right.get("key"):
            return State.INCOMPARABLE
        return State.SAME if left["hmac"] == right["hmac"] else State.CHANGED
    if "hmac" in left or "hmac" in right:
        return State.INCOMPARABLE
    return State.SAME if left.get(VALUE) == right.get(VALUE) else State.CHANGED


def wording(state: State, left: str, right: str) -> str:
    """A finding about a value in words; hashes say nothing to a person."""
    if state == State.CHANGED:
        return f"{left} → {right}" if left or right else "other value"
    if state == State.UNKNOWN:
        return "unknown: the value is not told, as an agent has no key"
    if left or right:
        return "not comparable: one side tells the value, the other its keyed hash"
    return "not comparable: the two sides have unlike keys"
