"""Says how a difference of an operating system came: with a base image that has moved under a container or image."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from envparity_agent.fingerprint import Attributes, Fingerprint, FingerprintLike
from envparity_server.compare.images import shared
from envparity_server.compare.model import DRIFT_STATES, Difference
from envparity_server.explain.undo.containers import short
from envparity_server.gating.places import home, image_of

OF_A_BASE = frozenset({"libraries", "os", "os-packages"})  # kinds of what a base image brings


@dataclass(frozen=True)
class Origins:
    """What is asked about where a difference came from: both sides, how their paths pair, and what was declared."""

    subject: FingerprintLike
    reference: FingerprintLike
    counterparts: Mapping[str, str]
    declared: Sequence[Fingerprint] = ()

    def of(self, difference: Difference) -> str:
        """How it came, in words: `via base image debian:bookworm (digest moved)`; empty where nothing tells."""
        ours = self.moved(difference)
        return f"via {self._base(ours)} (digest moved)" if ours is not None else ""

    def moved(self, difference: Difference) -> Attributes | None:
        """The subject's image, where the difference is of what a base image brings, and that has moved; else None."""
        if difference.kind not in OF_A_BASE or difference.state not in DRIFT_STATES:
            return None
        path = difference.section
        ours = image_of(home(self.subject, path))
        theirs = image_of(home(self.reference, self.counterparts.get(path, path)))
        return ours if has_moved(ours, theirs) else None

    def _base(self, image: Attributes) -> str:
        names = (*declared_bases(self.declared), str(image.get("base") or ""))
        name = next((name for name in names if name), "")
        return f"base image {short(name.partition('@')[0])}" if name else "the base image"


def has_moved(ours: Attributes, theirs: Attributes) -> bool:
    """Whether two images stand on unlike bases: by the digests that they tell, else as they share not one layer.

    How many of its layers are of its base, an image does not tell: of two that share their lowest ones, nothing is
    said.
    """
    digests = [digest_of(str(side.get("base") or "")) for side in (ours, theirs)]
    if all(digests):
        return digests[0] != digests[1]
    left, right = (side.get("layers") for side in (ours, theirs))
    return bool(left and right) and isinstance(left, tuple) and isinstance(right, tuple) and shared(left, right) == 0


def digest_of(reference: str) -> str:
    """The digest in a reference; empty where it is a name or a tag alone."""
    return reference.partition("@")[2]


def declared_bases(declared: Sequence[Fingerprint]) -> tuple[str, ...]:
    """What the last FROM of each Dockerfile names."""
    images = (
        image_of(section)
        for file in declared
        if file.target.kind == "dockerfile"
        for section in file.sections.values()
        if section.kind == "container"
    )
    return tuple(str(image["base"]) for image in images if image.get("base"))
