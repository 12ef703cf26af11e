"""Which container or image a section is in, and what its image is."""

from collections.abc import Mapping

from envparity_agent.fingerprint import Attributes, FingerprintLike, SectionLike
from envparity_server.compare.covering import container_of
from envparity_server.compare.model import Comparison

IMAGE = "image"  # the item that says which image a container runs


def home(side: FingerprintLike, path: str) -> SectionLike | None:
    """The section of the container or image that a path is in; of one that was named, everything is; else None."""
    inside = container_of(side.sections, path)
    if inside:
        return side.sections[inside]
    own = side.sections.get(path)
    if own is not None and own.kind == "container":
        return own
    if side.target.kind not in ("container", "image"):
        return None
    return next((one for one in side.sections.values() if one.kind == "container"), None)


def image_of(container: SectionLike | None) -> Attributes:
    """What is known of the image; nothing where there is no container."""
    return container.items.get(IMAGE, {}) if container else {}


def counterparts(comparison: Comparison) -> Mapping[str, str]:
    """The subject's paths and the reference's that they were held against."""
    return dict(comparison.held)
