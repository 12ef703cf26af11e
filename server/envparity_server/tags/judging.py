"""Whether a container runs what its tag points at now: digests of like kind only are held against each other.

The ladder is that of `compare/images.py`: the manifest of the platform, then the config digest. An index alone tells
nothing where it differs: attestations move it with every build.
"""

from enum import StrEnum

from envparity_agent.fingerprint import Attributes, Value
from envparity_server.storage.tags import Platforms, Pointed

_LADDER = ("manifest", "config")


class Moved(StrEnum):
    """What became of a tag since a container was started from it."""

    SAME = "same"
    MOVED = "moved"
    UNKNOWN = "unknown"


def judged(image: Attributes, pointed: Pointed) -> tuple[Moved, str]:
    """What a tag's digest says of a container's image, and by what: the words are one line, without digests."""
    held: dict[str, set[Value]] = {
        "manifest": {image.get("manifest")},
        "index": {image.get("index")},
        "repository": {text.rpartition("@")[2] for text in _texts(image.get("repo_digests")) if "@" in text},
    }
    for kind, digests in held.items():
        if pointed.digest in digests:
            return Moved.SAME, f"the {kind} digest is the tag's"
    platform = str(image.get("platform") or "")
    theirs = pointed.platforms.get("" if pointed.kind == "manifest" else platform)
    if theirs is None:
        return Moved.UNKNOWN, f"the registry was not asked for the platform {platform or '(not told)'}"
    if not theirs:
        return Moved.UNKNOWN, f"the tag has no one image for the platform {platform or '(not told)'}"
    rungs = [rung for rung in _LADDER if image.get(rung) and theirs.get(rung)]
    if not rungs:
        return Moved.UNKNOWN, "the engine and the registry tell no digest of the same kind"
    equal = [rung for rung in rungs if image[rung] == theirs[rung]]
    if equal:
        return Moved.SAME, f"the {equal[0]} digest is that of the tag's image"
    return Moved.MOVED, f"the {rungs[0]} digest is not that of the tag's image"


def lacking(images: list[Attributes], platforms: Platforms) -> list[str]:
    """The platforms of images that a tag was not asked for, in order."""
    wanted = {str(image["platform"]) for image in images if image.get("platform")}
    return sorted(wanted - platforms.keys())


def _texts(value: Value) -> list[str]:
    return [part for part in value if isinstance(part, str)] if isinstance(value, tuple | list) else []
