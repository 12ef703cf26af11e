"""What the hosts of a selector agree on, item by item: the majority's value, its share, and who deviates."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from envparity_agent.fingerprint import FingerprintLike, SectionLike
from envparity_server.compare.covering import is_complete
from envparity_server.drift.majority import label, would_list
from envparity_server.drift.tally import Stand, compared, pages, projected, tallied

_THERE, _NOT_THERE = "there", "not there"


@dataclass(frozen=True)
class Holder:
    """What some hosts have: a value in words, and their ids."""

    value: str
    hosts: tuple[str, ...]


@dataclass(frozen=True)
class Share:
    """Where the hosts stand on one item; an empty item stands for the whole section."""

    section: str
    kind: str
    item: str
    voters: int  # hosts whose section could be read
    stands: tuple[Holder, ...]  # the one that most have first

    @property
    def is_split(self) -> bool:
        """Whether no value has more than half of the hosts."""
        return 2 * len(self.stands[0].hosts) <= self.voters

    @property
    def words(self) -> str:
        """The share as people read it: 212 of 300."""
        return f"{len(self.stands[0].hosts)} of {self.voters}"


@dataclass(frozen=True)
class Shares:
    """The items on which hosts differ (or all that were asked for), and how many more all of them agree on."""

    shares: tuple[Share, ...]
    agreed: int
    unread: Mapping[str, tuple[str, ...]]  # section -> the hosts that cannot vote on it


def shares(votes: Mapping[str, FingerprintLike], section: str = "", item: str = "", everything: bool = False) -> Shares:
    """Count who has what, in one section, below one (`python/`), or in all; one item of them if asked for.

    Pages that all hosts share are counted and not opened, unless everything is asked for.
    """
    hosts = list(votes)
    found: list[Share] = []
    agreed = 0
    unread: dict[str, tuple[str, ...]] = {}
    for path in sorted({path for vote in votes.values() for path in vote.sections if is_in(path, section)}):
        having = [(place, votes[id].sections[path]) for place, id in enumerate(hosts) if path in votes[id].sections]
        good = [(place, one) for place, one in having if is_complete(one)]
        if len(good) < len(having):
            unread[path] = tuple(hosts[place] for place, one in having if not is_complete(one))
        told, unopened = _items(path, hosts, good, item, everything) if good else ([], 0)
        told += [] if item else _presence(path, hosts, votes, having)
        differing = [one for one in told if len(one.stands) > 1]
        found += told if everything else differing
        agreed += unopened + len(told) - len(differing)
    return Shares(tuple(found), agreed, unread)


def _items(
    path: str, hosts: Sequence[str], good: Sequence[tuple[int, SectionLike]], item: str, everything: bool
) -> tuple[list[Share], int]:
    """The shares of the items of some sections, and how many more items stand on pages that they all share."""
    names = compared(one for _, one in good)
    first, model = good[0]
    unopened = 0 if item else model.count
    found = []
    for alternatives in pages(good, item, shared=everything or bool(item)):
        unopened -= next(len(items) for items, voters in alternatives if first in voters) if not item else 0
        for name, stands in tallied(alternatives, names):
            if item in ("", name):
                found.append(Share(path, model.kind, name, len(good), _holders(stands, names, hosts)))
    return found, unopened


def _holders(stands: Sequence[Stand], names: frozenset[str] | None, hosts: Sequence[str]) -> tuple[Holder, ...]:
    """The stands in words that tell them apart: by their versions where these differ."""
    bodies = [projected(one.body, names) for one in stands]
    words = [label(body) for body in bodies]
    if len(set(words)) < len(words):
        words = [label(body, whole=True) for body in bodies]
    return tuple(
        Holder(word, tuple(hosts[voter] for voter in one.voters)) for word, one in zip(words, stands, strict=True)
    )


def is_in(path: str, section: str) -> bool:
    """Whether a section is the one that is asked for, or below it; all are in none."""
    wanted = section.rstrip("/")
    return not section or path == wanted or path.startswith(f"{wanted}/")


def _presence(
    path: str, hosts: Sequence[str], votes: Mapping[str, FingerprintLike], having: Sequence[tuple[int, SectionLike]]
) -> Iterator[Share]:
    """Who has a section at all, where others are known not to have it."""
    there = {hosts[place] for place, _ in having}
    if len(there) == len(hosts):
        return
    lacking = tuple(id for id in hosts if id not in there and would_list(votes[id], path))
    if lacking:
        stands = sorted(
            (Holder(_THERE, tuple(id for id in hosts if id in there)), Holder(_NOT_THERE, lacking)),
            key=lambda one: -len(one.hosts),
        )
        yield Share(path, having[0][1].kind, "", len(there) + len(lacking), tuple(stands))
