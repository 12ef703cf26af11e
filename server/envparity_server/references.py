"""Finds the fingerprint that a selector stands for: a host's, a baseline's, or what most hosts agree on.

And what each host is held against: the approved baseline that is for it, else what most of its peers agree on.
"""

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from threading import Lock

from cachetools import LRUCache, cached
from sqlalchemy import Connection

from envparity_agent.errors import CannotTell, UsageError
from envparity_agent.fingerprint import FingerprintLike, Section, SectionLike, Target
from envparity_server.compare.covering import container_of
from envparity_server.compare.differences import compare
from envparity_server.compare.model import Comparison
from envparity_server.compare.scope import EVERYTHING, Scope
from envparity_server.compare.selectors import ALL, Selector, parse_selector
from envparity_server.drift.majority import agreed, majority
from envparity_server.drift.rules import applied
from envparity_server.drift.severity import rate
from envparity_server.selection import chosen, covers
from envparity_server.storage import baselines, content, history, hosts, rules
from envparity_server.storage.actors import Environments
from envparity_server.storage.baselines import Version
from envparity_server.storage.content import StoredFingerprint, StoredSection
from envparity_server.storage.history import Tree
from envparity_server.storage.hosts import STALE_AFTER, Host

_MOST_NAMES = 3
# kinds of what is told of a container from outside it: these keep its path, as the fingerprint of a container has them
_ABOUT_CONTAINERS = frozenset({"application", "configuration"})
_MOST_AGREED = 1_000_000  # values, of about 100 bytes
_FEWEST_PEERS = 3  # of fewer hosts no majority is a reference: two that differ are one against one


def _content(path: str, having: Sequence[SectionLike]) -> Hashable:
    """What an agreement depends on."""
    return path, tuple(Counter(one.hash for one in having).items())


@cached(LRUCache(_MOST_AGREED, lambda section: 8 * section.count + 16), key=_content, lock=Lock())
def _agreed(path: str, having: Sequence[SectionLike]) -> Section:
    """What hosts agree on, which is asked again and again: from one report to the next hardly a section changes."""
    return agreed(path, having)


@dataclass(frozen=True)
class Reference:
    """A fingerprint, what a person should know beside it, and why a gate cannot rely on it, if so."""

    fingerprint: FingerprintLike
    notes: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    name: str = ""  # the selector, or baseline:NAME
    confirmed_at: datetime | None = None  # when all that speak for it had last told it, by the server's clock


@dataclass(frozen=True)
class Votes:
    """What those of a selector ran that speak for it, and what must be said beside it; never empty."""

    selector: Selector
    target: Target
    by_host: Mapping[str, StoredFingerprint]  # by host id; a baseline's one fingerprint by ALL_HOSTS
    notes: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    confirmed_at: datetime | None = None  # when all of them had last told it, by the server's clock

    def agreed(self, application: str = "") -> Reference:
        """What most of them agree on; of one, what it has; the part that the selector names.

        Where one part or one application is asked about, those that have nothing of it have no say: most hosts of an
        environment may be for something else.
        """
        everyone = list(self.by_host.values())
        having = [one for one in everyone if self._has(one, application)] or everyone
        found = _part(majority(self.target, max(vote.taken_at for vote in everyone), having, _agreed), self.selector)
        few = f"{self.selector.text}: {len(having)} of {len(everyone)} hosts have what is asked about"
        notes = self.notes if len(having) == len(everyone) else (*self.notes, few)
        return Reference(found, notes, self.doubts, self.selector.text, self.confirmed_at)

    def _has(self, vote: StoredFingerprint, application: str) -> bool:
        part, scope = self.selector.section.rstrip("/"), Scope(application=application)
        return any(
            (not part or path == part or path.startswith(f"{part}/")) and scope.holds(section)
            for path, section in vote.sections.items()
        )


@dataclass(frozen=True)
class Held:
    """Two selectors held against each other, and what must be said beside it."""

    left: FingerprintLike
    right: FingerprintLike
    comparison: Comparison
    notes: tuple[str, ...]


def compare_selectors(
    connection: Connection,
    left: str,
    right: str,
    now: datetime,
    scope: Scope = EVERYTHING,
    environments: Environments = None,
) -> tuple[Comparison, tuple[str, ...]]:
    """The rated comparison of two selectors under the server's rules, and what must be said beside it."""
    held = hold_selectors(connection, left, right, now, scope, environments)
    return held.comparison, held.notes


def hold_selectors(
    connection: Connection, left: str, right: str, now: datetime, scope: Scope, environments: Environments
) -> Held:
    """The same, with the fingerprints that the two stand for."""
    one, other = (resolve(connection, text, now, environments, scope.application) for text in (left, right))
    content.open_differing([one.fingerprint.sections, other.fingerprint.sections], whole=False)
    comparison = rate(compare(one.fingerprint, other.fingerprint, scope))
    subjects = rules.subjects(connection, (left, right), now, environments)
    comparison = applied(comparison, rules.all_rules(connection), subjects, now)
    return Held(one.fingerprint, other.fingerprint, comparison, (*one.notes, *other.notes))


def resolve(
    connection: Connection, text: str, now: datetime, environments: Environments = None, application: str = ""
) -> Reference:
    """What a selector stands for now, for somebody who may see these environments and asks about an application.

    Raises UsageError for a text that is no selector, an unknown host or baseline, CannotTell where nothing was ever
    reported or approved.
    """
    return votes(connection, text, now, environments).agreed(application)


def votes(connection: Connection, text: str, now: datetime, environments: Environments = None) -> Votes:
    """Whom a selector stands for, and what each of them ran; raises as `resolve` does."""
    selector = parse_selector(text, now)
    if selector.kind == "baseline":
        return _pinned(connection, selector, environments)
    return _reported(connection, selector, now, environments)


def _reported(connection: Connection, selector: Selector, now: datetime, environments: Environments) -> Votes:
    everyone = chosen(connection, selector, environments)
    moment = selector.moment or now
    trees = history.at(connection, [one.id for one in everyone], selector.moment)
    silent = [one.name for one in everyone if one.id not in trees]
    if not trees:
        names = ", ".join(silent)
        if selector.moment:
            raise CannotTell(f"{selector.text}: no report of {names} at or before that moment", "take a later one")
        raise CannotTell(f"{selector.text}: no report yet from {names}", "look at that host: envparity agent status")
    reported = [one for one in everyone if one.id in trees]
    stale = [one for one in reported if _was_stale(one, trees[one.id], moment)]
    told = (
        *_few(f"{selector.text}: {len(stale)} of {len(everyone)} stale", [_last_seen(one) for one in stale]),
        *_few(f"{selector.text}: {len(silent)} of {len(everyone)} never reported", silent),
    )
    retired = tuple(f"{one.name} was retired at {one.retired_at:%Y-%m-%d %H:%M} UTC" for one in reported
                    if selector.kind == "host" and one.retired_at and one.retired_at <= moment)  # fmt: skip
    target = Target("host", reported[0].name) if selector.kind == "host" else Target("environment", selector.text)
    voting = voting_of(reported, stale)
    by_host = _fingerprints(connection, target, voting, trees)
    confirmed_at = min(_confirmed(one, trees[one.id], moment) for one in voting)
    doubts = told if len(stale) == len(reported) else ()
    return Votes(selector, target, by_host, (*told, *retired), doubts, confirmed_at)


def voting_of(reported: Sequence[Host], stale: Sequence[Host]) -> Sequence[Host]:
    """Fresh hosts that last; where there is none, what there is."""
    silent = {one.id for one in stale}
    fresh = [one for one in reported if one.id not in silent] or reported
    return [one for one in fresh if not one.ephemeral] or fresh


def _was_stale(host: Host, tree: Tree, moment: datetime) -> bool:
    return moment - _confirmed(host, tree, moment) > timedelta(seconds=STALE_AFTER * host.interval)


def _confirmed(host: Host, tree: Tree, moment: datetime) -> datetime:
    """The last report at or before a moment that had it."""
    return min(tree.interval.last_seen or host.seen_at or moment, moment)


def _few(what: str, hosts: Sequence[str]) -> tuple[str, ...]:
    """A sentence about some hosts that names the first of them; none where there is none."""
    if not hosts:
        return ()
    more = len(hosts) - _MOST_NAMES
    return (f"{what}: {', '.join(hosts[:_MOST_NAMES])}" + (f" and {more} more" if more > 0 else ""),)


def _last_seen(host: Host) -> str:
    return f"{host.name} (last seen {host.seen_at:%Y-%m-%d %H:%M} UTC, due every {host.interval} s)"


def _fingerprints(
    connection: Connection, target: Target, voting: Iterable[Host], trees: Mapping[str, Tree]
) -> dict[str, StoredFingerprint]:
    """What each of some hosts ran, by host id, with few queries however many there are."""
    taken_at = {one.id: _taken_at(one, trees[one.id]) for one in voting}
    stored = content.stored(connection, {id: trees[id].sections for id in taken_at})
    content.open_differing(stored.values())
    return {id: StoredFingerprint(target, moment, stored[id]) for id, moment in taken_at.items()}


def _taken_at(host: Host, tree: Tree) -> str:
    """When the agent says that it was taken; of an earlier one, when a report last had it."""
    last_seen = tree.interval.last_seen
    return last_seen.isoformat() if last_seen else host.taken_at or tree.interval.first_seen.isoformat()


def _pinned(connection: Connection, selector: Selector, environments: Environments) -> Votes:
    """What a baseline says: its one fingerprint, or those that its hosts were pinned to."""
    one = baselines.named(connection, selector.name, environments)
    proposed = baselines.versions(connection, [one.name])
    if selector.version is None:
        version = baselines.reference(one, proposed, selector.moment)
        if version is None:
            raise CannotTell(
                f"{selector.text}: no version of it is approved", f"envparity baselines approve {one.name}"
            )
    else:
        numbered = {each.number: each for each in proposed}
        if selector.version not in numbered:
            raise UsageError(f"{selector.text}: it has {one.newest} versions", f"baseline:{one.name}/{one.newest}")
        version = numbered[selector.version]
        if selector.moment and version.proposed_at > selector.moment:
            raise CannotTell(f"{selector.text}: nobody had proposed it by then", "take a later moment")
    target = Target("environment" if version.is_each_host else version.kind, selector.whom)
    stored = content.stored(connection, baselines.trees(connection, one.name, version.number))
    content.open_differing(stored.values())
    by_host = {id: StoredFingerprint(target, version.taken_at, sections) for id, sections in stored.items()}
    told, doubts = _decided(version, selector.moment)
    return Votes(selector, target, by_host, told, doubts)


def group_of(host: Host) -> str:
    """The selector of a host's peers: its environment and, where it has one, its label `role`."""
    role = host.labels.get("role")
    return f"env:{host.environment},role={role}" if role else f"env:{host.environment}"


def references_for(connection: Connection, of: Iterable[Host], now: datetime) -> dict[str, Reference]:
    """What each of some hosts is held against now, by host id; a host that has no reference is left out.

    The approved baseline that is for it, of several the one that names it most narrowly; else what most of its fresh,
    lasting peers agree on, if there are three. Hosts with one reference share one object.
    """
    asked = list(of)
    found = _pinned_for(connection, asked, now)
    groups: dict[str, list[str]] = {}
    for one in asked:
        if one.id not in found:
            groups.setdefault(group_of(one), []).append(one.id)
    for group, reference in _agreed_by(connection, groups, now).items():
        found |= dict.fromkeys(groups[group], reference)
    return found


def _agreed_by(connection: Connection, groups: Iterable[str], now: datetime) -> dict[str, Reference]:
    """What the fresh, lasting hosts of each group agree on, without the groups that have too few of them."""
    lasting = [one for one in hosts.all_hosts(connection) if not one.ephemeral and one.state(now) == "fresh"]
    selectors = {group: parse_selector(group, now) for group in groups}
    peers = {group: [one for one in lasting if covers(selector, one)] for group, selector in selectors.items()}
    enough = {group: members for group, members in peers.items() if len(members) >= _FEWEST_PEERS}
    voting = {one.id: one for members in enough.values() for one in members}
    trees = history.at(connection, voting)
    stored = content.stored(connection, {id: tree.sections for id, tree in trees.items()})
    content.open_differing(stored.values())
    found = {}
    for group, members in enough.items():
        target = Target("environment", group)
        ran = [StoredFingerprint(target, _taken_at(one, trees[one.id]), stored[one.id]) for one in members]
        found[group] = Reference(majority(target, max(one.taken_at for one in ran), ran, _agreed), name=group)
    return found


def _pinned_for(connection: Connection, of: Sequence[Host], now: datetime) -> dict[str, Reference]:
    """The approved baselines that are for some hosts, by host id."""
    approved = [(parse_selector(one.applies_to, now), one, version) for one, version in baselines.approved(connection)]
    approved.sort(key=lambda one: (_narrowness(one[0]), one[2].approved_at, one[2].name), reverse=True)
    found: dict[str, Reference] = {}
    for selector, baseline, version in approved:
        # another environment may have a host of that name: who decided here has no say there
        there = [one for one in of if one.id not in found and baseline.environment in ("", one.environment)]
        covered = [one.id for one in there if covers(selector, one)]
        if not covered:
            continue
        trees = baselines.trees(connection, version.name, version.number, covered if version.is_each_host else None)
        shared: dict[frozenset[tuple[str, str]], str] = {}  # hosts that were pinned to the same share one reference
        holders = {id: shared.setdefault(frozenset(tree.items()), id) for id, tree in trees.items()}
        stored = content.stored(connection, {id: trees[id] for id in shared.values()})
        references = {id: _reference(version, sections) for id, sections in stored.items()}
        for id in covered:
            holder = holders.get(id if version.is_each_host else baselines.ALL_HOSTS)
            if holder is not None:
                found[id] = references[holder]
    return found


def _narrowness(selector: Selector) -> tuple[bool, int, bool]:
    """How narrowly a selector names hosts: one host, then more labels, then one environment."""
    return selector.kind == "host", len(selector.labels), selector.name != ALL


def _reference(version: Version, sections: Mapping[str, StoredSection]) -> Reference:
    name = f"baseline:{version.name}"
    target = Target("host" if version.is_each_host else version.kind, name)
    told, doubts = _decided(version)
    return Reference(StoredFingerprint(target, version.taken_at, sections), told, doubts, name)


def _decided(version: Version, moment: datetime | None = None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What must be said beside a version of a baseline, and why not to rely on it, if so."""
    what = f"baseline:{version.name}: version {version.number} of {version.source}"
    if version.withdrawn_at and not (moment and moment < version.withdrawn_at):
        told = (f"{what}, withdrawn by {version.withdrawn_by} at {version.withdrawn_at:%Y-%m-%d %H:%M} UTC",)
        return told, told
    if version.approved_at:
        return (f"{what}, approved by {version.approved_by} at {version.approved_at:%Y-%m-%d %H:%M} UTC",), ()
    told = (f"{what}, proposed by {version.proposed_by} and not approved",)
    return told, told


def _part(found: FingerprintLike, selector: Selector) -> FingerprintLike:
    """The part of a fingerprint that a selector names by `#SECTION`: a target of its own.

    Of a container its sections are called as those of `container:NAME` and `image:REF` are, so that the packages of
    each are held against each other.
    """
    if not selector.section:
        return found
    path = selector.section.rstrip("/")
    sections = {
        name: section for name, section in found.sections.items() if name == path or name.startswith(f"{path}/")
    }
    if not sections:
        near = [name for name in found.sections if name.startswith(path.split("/")[0])][:8]
        raise UsageError(f"{selector.text}: no section {path}", f"sections: {', '.join(near) or 'none of this kind'}")
    kind = sections[path].kind if path in sections else "part"
    if kind == "container":
        sections = dict(_of_container(found.sections, path))
    return _Part(Target(kind, selector.text), found.taken_at, sections)


def _of_container(sections: Mapping[str, SectionLike], path: str) -> Iterator[tuple[str, SectionLike]]:
    """A container, and what is about it, by their paths; what lives inside it by the paths that it has there."""
    for name, section in sections.items():
        if name == path or (container_of(sections, name) == path and section.kind in _ABOUT_CONTAINERS):
            yield name, section
        elif container_of(sections, name) == path and section.kind != "container":
            own = name.removeprefix(f"{path}/")
            # whatever holds a section here is a dataclass, which its protocol does not tell
            yield own, replace(section, path=own)  # type: ignore[type-var]


@dataclass(frozen=True)
class _Part:
    """A fingerprint of some sections of another one."""

    target: Target
    taken_at: str
    sections: Mapping[str, SectionLike]
