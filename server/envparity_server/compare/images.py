"""Whether two running images are the same: only digests of like kind are held against each other.

The ladder: platform manifest digest, config digest, then the content id that every engine gives.
"""

from envparity_agent.fingerprint import Attributes, Value
from envparity_server.compare.model import Distance, State

_LADDER = ("manifest", "config", "content")


def compare_images(left: Attributes, right: Attributes) -> list[tuple[str, State, Distance | None]]:
    """The attributes in which two image items differ; empty where both run the same image."""
    if left.get("platform") != right.get("platform"):
        return [("platform", State.CHANGED, None)]
    rungs = [rung for rung in _LADDER if left.get(rung) and right.get(rung)]
    if not rungs:
        return [("content", State.INCOMPARABLE, None)]
    # a re-push through another tool recompresses layers: another manifest, the same config and content
    if not any(left[rung] == right[rung] for rung in rungs):
        same_name = left.get("reference") == right.get("reference")
        return [(rungs[0], State.CHANGED, Distance.REBUILD if same_name else Distance.UNORDERED)]
    if _name(left.get("reference")) != _name(right.get("reference")):
        return [("reference", State.CHANGED, None)]
    return []


def compare_declared_images(left: Attributes, right: Attributes) -> list[tuple[str, State, Distance | None]]:
    """An image that a file names has no digest: it is the one that runs if it has its name, as far as it has one."""
    if None not in (left.get("platform"), right.get("platform")) and left["platform"] != right["platform"]:
        return [("platform", State.CHANGED, None)]
    names = [_name(side.get("reference")) for side in (left, right)]
    return [("reference", State.CHANGED, Distance.UNORDERED)] if all(names) and names[0] != names[1] else []


def _name(reference: Value) -> str:
    """Repository and tag without the registry: a mirror gives the same image under another name."""
    return str(reference or "").rpartition("/")[2]
