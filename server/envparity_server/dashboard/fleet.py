"""What all hosts have of some kinds, as the matrix, its picture and the packages look at it."""

from collections.abc import Collection, Hashable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from threading import Lock

from cachetools import LRUCache, cached
from sqlalchemy import Connection

from envparity_agent.fingerprint import SectionLike, Target
from envparity_server.drift.matrix import Line, counted, lines
from envparity_server.drift.tally import Stand
from envparity_server.references import voting_of
from envparity_server.storage import content
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
_MOST_COUNTED = 8_000_000  # voters, of 8 bytes


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

    def lines(self, everything: bool = False, only: str = "") -> Iterator[Line]:
        """The lines on which its hosts differ, or all of them; of `only` one item where it is given."""
        return lines(self.fingerprints, self.holds, everything, only, _counted)

    @property
    def notes(self) -> list[str]:
        """Whom it leaves out, in sentences."""
        told = (
            (self.stale, "stale: what they have now is not known"),
            (self.silent, "never reported"),
            (self.passing, "ephemeral: they have no say"),
        )
        return [f"{len(out)} host{'s' if len(out) > 1 else ''} left out, {why}" for out, why in told if out]


def _content(sections: Sequence[tuple[int, SectionLike]], everything: bool, only: str) -> Hashable:
    """What the count of a path depends on."""
    return everything, only, tuple((place, one.hash) for place, one in sections)


def _voters(found: Sequence[tuple[str, tuple[Stand, ...]]]) -> int:
    return 16 + len(found) + sum(len(one.voters) for _, stands in found for one in stands if len(stands) > 1)


@cached(LRUCache(_MOST_COUNTED, _voters), key=_content, lock=Lock())
def _counted(
    sections: Sequence[tuple[int, SectionLike]], everything: bool, only: str
) -> Sequence[tuple[str, tuple[Stand, ...]]]:
    """Who has what at a path, which is asked again and again: from one report to the next hardly a section changes."""
    if not only:
        content.open_differing([{one.path: one} for _, one in sections], whole=False)
    return counted(sections, everything, only)


def fleet_of(
    connection: Connection,
    hosts: Sequence[Host],
    kinds: Collection[str],
    now: datetime,
    section: str = "",
) -> Fleet:
    """The sections of some hosts that are of some kinds or are called so, with few queries however many there are."""
    silent = [one for one in hosts if one.root is None]
    reported = [one for one in hosts if one.root is not None]
    stale = [one for one in reported if one.is_stale(now)]
    voting = voting_of(reported, stale)
    speaking = {one.id for one in voting}
    trees = content.trees(connection, {one.root: None for one in voting if one.root}, content.recall)
    stored = content.stored(connection, trees)
    looked_at = {*kinds, *_COVERING}
    fingerprints = [
        StoredFingerprint(
            Target("host", one.name),
            one.taken_at or "",
            {path: of for path, of in stored[one.root or ""].items() if of.kind in looked_at or path == section},
        )
        for one in voting
    ]
    return Fleet(
        tuple(voting),
        tuple(fingerprints),
        tuple(kinds),
        section,
        tuple(one for one in stale if one.id not in speaking),
        tuple(silent),
        tuple(one for one in reported if one.ephemeral and not one.is_stale(now) and one.id not in speaking),
    )
