"""Tells which differences are declared: what the subject has there is what a lock, a Dockerfile or a compose file says.

A file is held against the subject as a comparison of the two does it, and says only as much as it names: a lock its
versions, and that there is nothing else; a list its versions; a Dockerfile what it installs and sets, that there is a
new image with new code, and, by a digest, its base.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from envparity_agent.fingerprint import Attributes, Fingerprint, FingerprintLike, Reason, SectionLike
from envparity_server.compare.applied import Applied, apply
from envparity_server.compare.covering import is_complete
from envparity_server.compare.declared import hold, is_held
from envparity_server.compare.differences import compare
from envparity_server.compare.images import TAG, compare_declared_images
from envparity_server.compare.model import DRIFT_STATES, LOCK, Comparison, Difference, State
from envparity_server.compare.values import VALUE
from envparity_server.gating.model import DECLARING
from envparity_server.gating.origins import OF_A_BASE, Origins, declared_bases, digest_of
from envparity_server.gating.places import IMAGE, counterparts, home, image_of

_OF_A_BUILD = frozenset({"config", "content", "manifest", "reference"})  # of an image: other in each build
_OF_THE_CODE = frozenset({"", "commit", "content", "revision", "tree"})  # and not that some of it is in no commit
_PACKAGES = frozenset({"os-packages", "python", "python-search"})
_OF_A_FILE = frozenset({Reason.DECLARED, Reason.NO_KEY})  # why a Dockerfile that was read whole tells no more


@dataclass(frozen=True)
class Declarations:
    """The files that were declared, each held against the subject."""

    subject: FingerprintLike
    reference: FingerprintLike
    comparison: Comparison
    origins: Origins
    files: Sequence[Fingerprint]

    def of(self, difference: Difference) -> str:
        """Why a difference is declared: `uv.lock`, `built from Dockerfile`; empty where it is not."""
        if difference.state not in DRIFT_STATES:
            return ""
        if difference.state == State.ONLY_RIGHT:
            return self._removed(difference)
        return next(filter(None, (why for file in self._held for why in self._said(file, difference))), "")

    @cached_property
    def _held(self) -> Sequence["_File"]:
        return [_File.of(file, self.subject) for file in self.files if file.target.kind in DECLARING]

    def _removed(self, difference: Difference) -> str:
        """What the subject lacks is declared by a lock that does not name it, unless another file does."""
        packages = [(file, file.packages[difference.section]) for file in self._held
                    if difference.section in file.packages]  # fmt: skip
        named = any(held.names(difference.item) for _, held in packages)
        locks = [file.name for file, held in packages if difference.item and held.is_lock and not named]
        return next(filter(None, (*locks, *(self._of_image(file, difference) for file in self._held))), "")

    def _said(self, file: "_File", difference: Difference) -> Iterator[str]:
        packages = file.packages.get(difference.section)
        if packages and packages.says(difference.item, difference.attribute, difference.state):
            yield file.name
        if difference.kind == "libraries" and self._owner_is_said(file, difference):
            yield file.name
        if file.configures(difference):
            yield file.name
        yield self._of_image(file, difference)

    def _owner_is_said(self, file: "_File", difference: Difference) -> bool:
        """Whether a library belongs to an OS package whose version the file says."""
        section = self.subject.sections.get(difference.section)
        body = section.items.get(difference.item, {}) if section else {}
        manager, _, package = str(body.get("owner") or "").partition(":")
        packages = file.packages.get(f"{difference.section.removesuffix('os/libraries')}os-packages")
        if manager not in ("deb", "rpm", "apk") or packages is None:
            return False
        name = package.partition(" ")[0].partition(":")[0]
        known = (one for one in packages.applied.items if one.partition(":")[0] == name)
        return any(packages.says(one, "version", State.CHANGED) for one in known)

    def _of_image(self, file: "_File", difference: Difference) -> str:
        own = home(self.subject, difference.section)
        declared = file.containers.get(own.path) if own else None
        if own is None or declared is None:
            return ""
        if file.kind == "dockerfile":
            return self._built(file, own, difference)
        theirs = image_of(home(self.reference, self._counterparts.get(own.path, own.path)))
        told = image_of(declared)
        moved = bool(told.get("reference") and compare_declared_images(told, theirs))  # a tag that stays may lead on
        is_image = difference.item == IMAGE and difference.attribute in _OF_A_BUILD
        return file.name if is_image and moved and not compare_declared_images(told, image_of(own)) else ""

    def _built(self, file: "_File", own: SectionLike, difference: Difference) -> str:
        """What differs because the image is built anew, as long as its packages were looked at."""
        is_image = difference.section == own.path and (
            difference.item == TAG or (difference.item == IMAGE and difference.attribute in _OF_A_BUILD)
        )
        is_code = difference.kind == "application" and difference.item and difference.attribute in _OF_THE_CODE
        if (is_image or is_code) and self._packages_examined(own):
            return f"built from {file.name}"
        if difference.item and difference.kind in OF_A_BASE and file.tells_all_of_the_base:
            ours = self.origins.moved(difference)
            declared = next(iter(declared_bases([file.fingerprint])), "")
            told = digest_of(str((ours or {}).get("base") or ""))
            if ours is not None and digest_of(declared) and told in ("", digest_of(declared)):
                return f"{file.name}: the base image by its digest"
        return ""

    def _packages_examined(self, own: SectionLike) -> bool:
        """Whether the packages of an image were compared, all of them."""
        prefix = f"{own.path}/" if f"{own.path}/os-packages" in self.subject.sections else ""
        packages = {path for path, one in self.subject.sections.items()
                    if one.kind in _PACKAGES and home(self.subject, path) == own}  # fmt: skip
        unread = {one.section for one in self.comparison.unexamined if not one.beyond}
        return {f"{prefix}os-packages", f"{prefix}python"} <= self._counterparts.keys() and not unread & packages

    @cached_property
    def _counterparts(self) -> Mapping[str, str]:
        return counterparts(self.comparison)


@dataclass(frozen=True)
class _Packages:
    """What a file says of the packages in one section of the subject."""

    own: SectionLike
    applied: Applied
    wrong: frozenset[str]  # items in which the subject is not what the file says

    def names(self, item: str) -> bool:
        """Whether the file has it at all, be it for a group that nobody chose."""
        return item in self.applied.items or item in self.applied.unchosen

    @property
    def is_lock(self) -> bool:
        """Whether nothing is to be there but what the file names."""
        return self.applied.form == LOCK and is_complete(self.own)

    def says(self, item: str, attribute: str, state: State) -> bool:
        """Whether what the subject has there is what the file says; a name without a version says that it is there."""
        asked = self.applied.items.get(item)
        if asked is None or item in self.wrong or item in self.applied.unsure or item.startswith("@"):
            return False  # a file says for which interpreters it is, and not which of them is there
        if state == State.ONLY_LEFT:
            return True
        told = {"version": asked.get("version") or asked.get("specifier"), "commit": asked.get("commit")}
        return bool(told.get(attribute))


@dataclass(frozen=True)
class _File:
    """One file, and what of it stands for which section of the subject."""

    fingerprint: Fingerprint
    packages: Mapping[str, _Packages]  # by the subject's path, as are the others
    containers: Mapping[str, SectionLike]
    settings: Mapping[str, Mapping[str, Attributes]]  # items that the subject has as the file says

    @property
    def name(self) -> str:
        """As it was given."""
        return self.fingerprint.target.name

    @property
    def kind(self) -> str:
        """Which kind of file: declared, dockerfile, compose."""
        return self.fingerprint.target.kind

    @classmethod
    def of(cls, file: Fingerprint, subject: FingerprintLike) -> "_File":
        """Hold a file against the subject; what was paired without being sure says nothing."""
        comparison = compare(file, subject)
        unsure = {pair.left for pair in comparison.pairs if not pair.sure}
        packages: dict[str, _Packages] = {}
        containers: dict[str, SectionLike] = {}
        settings: dict[str, Mapping[str, Attributes]] = {}
        for left, right in comparison.held:
            own, there = file.sections[left], subject.sections[right]
            if left in unsure:
                continue
            if is_held(own, there) and own.kind == "declared":
                wrong = frozenset(one.item for one in hold(own, there, (file, subject)).differences)
                packages[right] = _Packages(own, apply(own, there, subject), wrong)
            elif own.kind == there.kind == "container":
                containers[right] = own
            elif own.kind == there.kind == "configuration":
                unlike = {one.item for one in comparison.differences if one.section == left}
                settings[right] = {item: body for item, body in own.items.items() if item not in unlike}
        return cls(file, packages, containers, settings)

    def configures(self, difference: Difference) -> bool:
        """Whether the file sets what differs, to what the subject has."""
        body = self.settings.get(difference.section, {}).get(difference.item)
        if body is None:
            return False
        told = {*body, VALUE} if "hmac" in body else set(body)
        return difference.state == State.ONLY_LEFT or difference.attribute in told

    @property
    def tells_all_of_the_base(self) -> bool:
        """Whether all OS packages of the image are those of its base: the file was read whole, and installs none."""
        sections = self.fingerprint.sections.values()
        return "os-packages" not in self.fingerprint.sections and all(
            set(one.reasons) <= _OF_A_FILE for one in sections if one.kind in ("container", "configuration")
        )
