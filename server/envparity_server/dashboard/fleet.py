"""What all hosts have of some kinds, as the matrix, its picture and the packages look at it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from envparity_agent.fingerprint import SectionLike, Target
from envparity_server.references import voting_of
from envparity_server.storage import content, history
from envparity_server.storage.actors import Environments
from envparity_server.storage.content import StoredFingerprint
from envparity_server.storage.hosts import Host

PACKAGES = "packages"
# what a page can be asked for -> its kinds of sections, and what they are called
KINDS = {
    PACKAGES: (("os-packages", "python"), "All packages"),
    "python": (("python",), "Python packages"),
    "os-packages": (("os-packages",), "OS packages"),
    "libraries": (("libraries",), "Native libraries"),
    "container": (("container",), "Containers and images"),
}
# what says which sections a host would list, so that one that is not there is known not to be
_COVERING = ("container", "containers", "python-search")


@dataclass(frozen=True)
class Fleet:
    """Hosts that speak for themselves, and what they have; valid as long as the connection's transaction."""

    hosts: tuple[Host, ...]
    fingerprints: tuple[StoredFingerprint, ...]  # of the hosts, in their order
    kinds: tuple[str, ...]
    section: str  # a path that it has beside the kinds, empty for none
    stale: tuple[Host, ...]
    silent: tuple[Host, ...]  # never reported
    passing: tuple[Host, ...]  # ephemeral: they never count

    def holds(self, section: SectionLike) -> bool:
        """Whether a section is one that was asked for; the others say what is known not to be there."""
        return section.kind in self.kinds or section.path == self.section

    @property
    def notes(self) -> list[str]:
        """Whom it leaves out, in sentences."""
        told = (
            (self.stale, "stale: what they have now is not known"),
            (self.silent, "never reported"),
            (self.passing, "ephemeral: they have no say"),
        )
        return [f"{len(out)} host{'s' if len(out) > 1 else ''} left out, {why}" for out, why in told if out]


def fleet_of(
    connection: Connection,
    hosts: Sequence[Host],
    kinds: Collection[str],
    seen: Environments,
    now: datetime,
    section: str = "",
) -> Fleet:
    """The sections of some hosts that are of some kinds or are called so, with few queries however many there are."""
    trees = history.of_kinds(connection, {*kinds, *_COVERING}, seen, section)
    silent = [one for one in hosts if one.root is None]
    reported = [one for one in hosts if one.root is not None]
    stale = [one for one in reported if one.is_stale(now)]
    voting = voting_of(reported, stale)
    speaking = {one.id for one in voting}
    stored = content.stored(connection, {one.id: trees.get(one.id, {}) for one in voting})
    fingerprints = [StoredFingerprint(Target("host", one.name), one.taken_at or "", stored[one.id]) for one in voting]
    content.open_differing([one.sections for one in fingerprints], whole=False)
    return Fleet(
        tuple(voting),
        tuple(fingerprints),
        tuple(kinds),
        section,
        tuple(one for one in stale if one.id not in speaking),
        tuple(silent),
        tuple(one for one in reported if one.ephemeral and not one.is_stale(now) and one.id not in speaking),
    )
