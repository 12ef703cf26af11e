"""Finds in a fingerprint what is to be rebuilt: the target's own sections, and those of its container or image."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from envparity_agent.fingerprint import Attributes, FingerprintLike, Items, SectionLike, Target

_EMPTY: Items = {}


@dataclass(frozen=True)
class Subject:
    """A target by its sections; `described` is the path of the section of the container or image that it is."""

    target: Target
    sections: Mapping[str, SectionLike]
    described: str = ""

    def items(self, path: str) -> Items:
        """The items of a section; none where it is not there."""
        found = self.sections.get(path)
        return found.items if found else _EMPTY

    def of_kind(self, kind: str) -> Iterator[SectionLike]:
        """The target's own sections of a kind, in the order of their paths."""
        for path, section in sorted(self.sections.items()):
            if section.kind == kind and not self._is_of_another(path):
                yield section

    def declared(self) -> Iterator[SectionLike]:
        """The sections of what files declare of Python packages."""
        return (section for section in self.of_kind("declared") if section.path.startswith("python/"))

    def others(self) -> Iterator[SectionLike]:
        """The sections `container/NAME` of containers that run on the target."""
        for path, section in sorted(self.sections.items()):
            if section.kind == "container" and path != self.described:
                yield section

    def _is_of_another(self, path: str) -> bool:
        return path.startswith("container/") and not (self.described and path.startswith(f"{self.described}/"))

    @property
    def image(self) -> Attributes:
        """What is known of the image that the target is or runs."""
        return self.items(self.described).get("image", {}) if self.described else {}

    @property
    def layer(self) -> Mapping[str, Attributes]:
        """What was changed in the container's writable layer: `PATH`, `SITE#NAME` or `deb:NAME` -> its facts."""
        found = self.items(self.described) if self.described else _EMPTY
        return {item.removeprefix("layer:"): body for item, body in found.items() if item.startswith("layer:")}


def subject(fingerprint: FingerprintLike) -> Subject:
    """The target of a fingerprint."""
    described = ""
    if fingerprint.target.kind in ("container", "image"):
        described = next((path for path, one in sorted(fingerprint.sections.items()) if one.kind == "container"), "")
    return Subject(fingerprint.target, fingerprint.sections, described)
