"""Whether two running images are the same: only digests of like kind are held against each other.

The ladder: platform manifest digest, config digest, then the content id that every engine gives.
"""

from collections.abc import Collection

from envparity_agent.fingerprint import Attributes, Items, Value
from envparity_server.compare.model import Distance, State

TAG = "tag"  # the item of a container that says where the tag points now
# by the first word of an item: what an image decides of the configuration of its containers
_OF_IMAGES = frozenset({"command", "entrypoint", "env", "healthcheck", "label", "port", "user", "workdir"})
LADDER = ("manifest", "config", "content")


def compare_images(left: Attributes, right: Attributes) -> list[tuple[str, State, Distance | None]]:
    """The attributes in which two image items differ; empty where both run the same image.

    Another platform of the same release is that alone, and no drift in content; whether images for unlike platforms
    are of one release, nothing tells but the release itself.
    """
    if left.get("platform") != right.get("platform"):
        unsure: list[tuple[str, State, Distance | None]] = [("content", State.INCOMPARABLE, None)]
        return [("platform", State.CHANGED, None), *([] if _is_one_release(left, right) else unsure)]
    rungs = [rung for rung in LADDER if left.get(rung) and right.get(rung)]
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


def of_image(configuration: Items) -> Items:
    """The part of a container's configuration that an image has as well: who starts it decides about the rest."""
    return {item: body for item, body in configuration.items() if item.partition(":")[0] in _OF_IMAGES}


def relation(left: Attributes, right: Attributes) -> str:
    """How two images are related, in words for a person; empty where there is nothing to say beyond their digests."""
    if left.get("platform") != right.get("platform"):
        return "another platform of the same release" if _is_one_release(left, right) else ""
    rungs = [rung for rung in LADDER if left.get(rung) and right.get(rung)]
    equal = [rung for rung in rungs if left[rung] == right[rung]]
    if equal:
        return "the same content, repackaged" if rungs[0] not in equal else ""
    ours, theirs = _texts(left.get("layers")), _texts(right.get("layers"))
    common = shared(ours, theirs)
    if not ours or not theirs:
        return ""
    if common == len(ours) == len(theirs):
        return f"the same {common} layers, other configuration"
    told = f"{common} layer{'s' if common > 1 else ''} shared, then" if common else "no layer shared:"
    return f"{told} {len(ours) - common} against {len(theirs) - common} of their own"


def shared(left: Collection[str], right: Collection[str]) -> int:
    """How many layers two images have in common from the lowest on; each layer is `NUMBER DIFF-ID`."""
    ours, theirs = _in_order(left), _in_order(right)
    for number, (one, other) in enumerate(zip(ours, theirs, strict=False)):
        if one != other:
            return number
    return min(len(ours), len(theirs))


def _in_order(layers: Collection[str]) -> list[str]:
    """The DiffIDs by their numbers: as texts, 100 stands before 11."""
    pairs = [layer.partition(" ") for layer in layers]
    return [
        diff_id for number, _, diff_id in sorted(pairs, key=lambda pair: (len(pair[0]), pair[0])) if number and diff_id
    ]


def _is_one_release(left: Attributes, right: Attributes) -> bool:
    """Whether both come of one index, or of one digest in a registry, under whatever names.

    Unlike digests tell nothing: an attestation moves them with every build.
    """
    if left.get("index") and left.get("index") == right.get("index"):
        return True
    ours, theirs = (_digests(_texts(side.get("repo_digests"))) for side in (left, right))
    return bool(ours & theirs)


def _digests(repo_digests: Collection[str]) -> set[str]:
    return {text.rpartition("@")[2] for text in repo_digests if "@" in text}


def _texts(value: Value) -> Collection[str]:
    return [part for part in value if isinstance(part, str)] if isinstance(value, tuple | list) else []


def _name(reference: Value) -> str:
    """Repository and tag without the registry: a mirror gives the same image under another name."""
    return str(reference or "").rpartition("/")[2]
