"""What runs under each reference: the images, who runs which, and how each stands to where the tag points."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from envparity_agent.fingerprint import Attributes
from envparity_server.compare.images import LADDER, compare_images, relation
from envparity_server.compare.model import UNKNOWN_STATES
from envparity_server.storage.tags import Marks, Running
from envparity_server.tags.in_use import InUse
from envparity_server.tags.judging import Moved

_ORDER = {one: number for number, one in enumerate((Moved.MOVED, Moved.UNKNOWN, Moved.SAME))}


@dataclass(frozen=True)
class Judged:
    """A container with what is known of it."""

    running: Running
    moved: Moved
    why: str
    marks: Marks


@dataclass(frozen=True)
class Image:
    """An image that containers of one reference run, by whatever digest of one kind they have in common."""

    image: Attributes
    containers: Sequence[Judged]
    related: str  # to the image that most run, in words; empty for that one

    @property
    def digests(self) -> list[tuple[str, str]]:
        """Kind and digest: only those of one kind can be held against each other."""
        return [(kind, str(self.image[kind])) for kind in LADDER if self.image.get(kind)]

    @property
    def stands(self) -> list[tuple[Moved, str, int]]:
        """What is said of its containers against the tag, with how many it is said of."""
        counts = Counter((one.moved, one.why) for one in self.containers)
        return sorted(((moved, why, count) for (moved, why), count in counts.items()), key=lambda one: _ORDER[one[0]])

    @property
    def patched(self) -> list[Judged]:
        """Those in which something was changed after they were started."""
        return [one for one in self.containers if one.marks.layers]

    @property
    def unpatched(self) -> Judged | None:
        """One that is as the image is: against it a patched one shows what was done."""
        return next((one for one in self.containers if not one.marks.layers), None)

    @property
    def behind(self) -> list[Judged]:
        """Those whose own host has another image under the tag."""
        return [one for one in self.containers if one.marks.is_behind]


@dataclass(frozen=True)
class Used:
    """A reference with its images, the one that most run first."""

    of: InUse
    images: Sequence[Image]

    @property
    def moved(self) -> int:
        """How many containers run something else than the tag, as the registry or their own host says."""
        return sum(one.moved == Moved.MOVED or one.marks.is_behind for image in self.images for one in image.containers)

    @property
    def is_several(self) -> bool:
        """Whether containers of the one reference run different images, for sure."""
        first, *others = self.images
        return any(_surely_differ(first.image, one.image) for one in others)

    @property
    def patched(self) -> int:
        """How many containers were changed in place."""
        return sum(len(one.patched) for one in self.images)

    @property
    def urgency(self) -> tuple[int, ...]:
        """What comes first: what moved, what is not the same everywhere, what was patched."""
        return (-self.moved, -self.is_several, -self.patched, -len(self.images))


def used(listed: Sequence[InUse], marks: Mapping[tuple[str, str], Marks]) -> list[Used]:
    """The references with their images, those first that need a look."""
    return sorted((Used(one, _images(one, marks)) for one in listed), key=lambda one: (one.urgency, one.of.reference))


def _images(of: InUse, marks: Mapping[tuple[str, str], Marks]) -> list[Image]:
    groups: list[tuple[Attributes, list[Judged]]] = []
    known: dict[object, list[Judged]] = {}
    judged = [
        Judged(one, moved, why, marks.get((one.host_id, one.section), Marks()))
        for one, (moved, why) in zip(of.running, of.judgements, strict=True)
    ]
    # what tells the most of its digests first, so that one who tells fewer finds the image that it is
    for one in sorted(judged, key=lambda one: -sum(bool(one.running.image.get(kind)) for kind in LADDER)):
        image = one.running.image
        told = tuple(image.get(name) for name in (*LADDER, "platform"))
        if told not in known:
            alike = next((members for held, members in groups if not compare_images(held, image)), None)
            if alike is None:
                alike = []
                groups.append((image, alike))
            known[told] = alike
        known[told].append(one)
    groups.sort(key=lambda group: -len(group[1]))
    most = groups[0][0]
    return [Image(image, members, _related(most, image)) for image, members in groups]


def _related(most: Attributes, image: Attributes) -> str:
    if image is most:
        return ""
    if not _surely_differ(most, image):
        return "its digests are of another kind: it cannot be held against the others"
    return relation(most, image) or "another image"


def _surely_differ(left: Attributes, right: Attributes) -> bool:
    return any(state not in UNKNOWN_STATES for _, state, _ in compare_images(left, right))
