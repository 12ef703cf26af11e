"""What a rule would hide of what differs now, before anybody makes it: each host against its reference."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import zip_longest

from sqlalchemy import Connection

from envparity_agent.fingerprint import Target
from envparity_server.compare.differences import compare
from envparity_server.compare.model import DRIFT_STATES, Comparison, Difference, State
from envparity_server.compare.scope import Scope
from envparity_server.drift.globs import is_broad
from envparity_server.drift.rules import Rule, Subject, applied
from envparity_server.drift.severity import rate
from envparity_server.references import hold_selectors, references_for
from envparity_server.storage import content, history, hosts, rules
from envparity_server.storage.actors import Environments
from envparity_server.storage.content import StoredFingerprint
from envparity_server.storage.hosts import Host

MOST_HOSTS = 200
_MOST_EXAMPLES = 10
_MUCH = 25  # percent
_NO_REFERENCE = "no fresh host that was looked at is held against a reference, so nothing says what it would cover"


@dataclass(frozen=True)
class Example:
    """A difference that the rule would cover, and on how many of the hosts that were looked at."""

    difference: Difference
    hosts: int


@dataclass(frozen=True)
class Preview:
    """What a rule would cover (hide, or rate) of what differs now and no other rule expects."""

    rule: Rule
    covered: int
    differences: int
    hosts: int  # that were looked at: at most MOST_HOSTS, and those that are held against something
    hosts_there: int
    hosts_covered: int  # that have something which the rule covers
    examples: tuple[Example, ...]
    environments: Mapping[str, int] = field(default_factory=dict)  # how many of the hosts it covers are in each

    @property
    def share(self) -> int:
        """Percent of the differences that it covers; only all of them are 100, only none of them 0."""
        if self.covered in (0, self.differences):
            return 100 if self.covered else 0
        return min(max(round(100 * self.covered / self.differences), 1), 99)

    @property
    def words(self) -> str:
        """In a sentence: `hides 37 % of what differs now: 12 of 32 differences on 8 of 40 hosts`."""
        does = "hides" if self.rule.severity is None else "rates"
        return (
            f"{does} {self.share} % of what differs now: {self.covered} of {self.differences} differences, "
            f"on {self.hosts_covered} of {self.hosts} hosts"
        )

    @property
    def warnings(self) -> tuple[str, ...]:
        """What its maker should know."""
        looked_at = f"only {self.hosts} of {self.hosts_there} fresh hosts were looked at"
        partly = f"{looked_at}: others have no reference, or are too many" if self.hosts else _NO_REFERENCE
        told = (
            (self.words, self.share >= _MUCH or (self.covered > 0 and is_broad(self.rule.match))),
            (partly, self.hosts < self.hosts_there),
        )
        return (*breadth(self.rule), *(text for text, is_so in told if is_so))


def breadth(rule: Rule) -> tuple[str, ...]:
    """A warning where a rule fits everything."""
    if not is_broad(rule.match):
        return ()
    return (f"{rule.match} fits whatever differs, also what nobody has seen yet: name a section",)


def preview(connection: Connection, rule: Rule, now: datetime, environments: Environments = None) -> Preview:
    """Hold a rule against the fresh hosts of the environments that somebody may see, at most MOST_HOSTS of them.

    Of each environment as many as of the others, as far as it has them, each against its baseline or its peers.
    """
    fresh = [one for one in hosts.all_hosts(connection, environments) if one.root and not one.is_stale(now)]
    chosen = _spread(fresh)[:MOST_HOSTS]
    others = [one for one in rules.active(connection, now) if one.id != rule.id]
    without_end = replace(rule, expires=None, severity=None)
    looked_at = differences = 0
    reached: Counter[str] = Counter()
    found: Counter[tuple[str, str, str]] = Counter()
    examples: dict[tuple[str, str, str], Difference] = {}
    for comparison, subjects in _compared(connection, chosen, now):
        looked_at += 1
        unexpected = applied(comparison, others, subjects, now)
        open_ones = [one for one in unexpected.differences if one.state in DRIFT_STATES]
        covered = _covered(replace(unexpected, differences=tuple(open_ones)), without_end, subjects, now)
        differences += len(open_ones)
        reached.update([subjects[0].environment or ""] if covered else [])
        for one in covered:
            place = one.section, one.item, one.attribute
            found[place] += 1
            examples.setdefault(place, one)
    commonest = sorted(found, key=lambda place: (-found[place], place))[:_MOST_EXAMPLES]
    return Preview(
        rule, found.total(), differences, looked_at, len(fresh), reached.total(),
        tuple(Example(examples[place], found[place]) for place in commonest), dict(sorted(reached.items())),
    )  # fmt: skip


def preview_between(
    connection: Connection, rule: Rule, sides: tuple[str, str], scope: Scope, now: datetime, environments: Environments
) -> tuple[int, int]:
    """How many of the unexpected differences between two selectors a rule would cover, and how many there are."""
    comparison = hold_selectors(connection, *sides, now, scope, environments).comparison
    open_ones = tuple(one for one in comparison.differences if one.state in DRIFT_STATES)
    subjects = rules.subjects(connection, sides, now, environments)
    without_end = replace(rule, expires=None, severity=None)
    return len(_covered(replace(comparison, differences=open_ones), without_end, subjects, now)), len(open_ones)


def _covered(comparison: Comparison, rule: Rule, subjects: Sequence[Subject], now: datetime) -> list[Difference]:
    found = applied(comparison, [rule], subjects, now).differences
    return [one for one in found if one.state == State.EXPECTED]


def _spread(fresh: Sequence[Host]) -> list[Host]:
    """The hosts in turns of one of each environment."""
    by_environment: dict[str, list[Host]] = {}
    for one in fresh:
        by_environment.setdefault(one.environment, []).append(one)
    return [one for turn in zip_longest(*by_environment.values()) for one in turn if one is not None]


def _compared(
    connection: Connection, chosen: Sequence[Host], now: datetime
) -> Iterator[tuple[Comparison, tuple[Subject, ...]]]:
    """Each host that is held against something, with the two sides; those that run the same are compared once."""
    references = references_for(connection, chosen, now)
    trees = history.at(connection, references)
    stored = content.stored(connection, {id: tree.sections for id, tree in trees.items()})
    names = sorted({one.name for one in references.values()})
    sides = dict(zip(names, rules.subjects(connection, names, now), strict=True))
    known: dict[tuple[int, str], Comparison] = {}
    for host in (one for one in chosen if one.id in references and one.id in trees):
        reference = references[host.id]
        key = id(reference), trees[host.id].interval.root
        if key not in known:
            own = StoredFingerprint(Target("host", host.name), now.isoformat(), stored[host.id])
            known[key] = rate(compare(own, reference.fingerprint))
        yield known[key], (rules.subject_of_host(host), sides[reference.name])
