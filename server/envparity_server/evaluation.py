"""Holds the fleet against its references, moves every drift on in its life, and tells what is to be told."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from envparity_server.compare.model import Severity
from envparity_server.compare.selectors import parse_selector
from envparity_server.drift import causes
from envparity_server.drift.causes import Cause, Course
from envparity_server.drift.findings import Finding, Item, Moved
from envparity_server.drift.life import LONGEST, Event, Sight, State, begun, step
from envparity_server.drift.words import STALE, Told, words
from envparity_server.references import group_of
from envparity_server.selection import covers
from envparity_server.storage import deploys, drifts, evaluated, hosts, rules
from envparity_server.storage.deploys import Deploy
from envparity_server.storage.drifts import Drift
from envparity_server.storage.hosts import Host
from envparity_server.watching import (
    Around,
    Basis,
    Held,
    View,
    compared_ahead,
    of_peers,
    of_silence,
    of_whole,
    rules_hash,
)

SETTLE = timedelta(hours=1)
REMEMBERED = timedelta(days=30)  # what was resolved longer ago does not come again: it is new


@dataclass(frozen=True)
class Transition:
    """A drift of which somebody is to be told."""

    drift_id: str
    event: Event


@dataclass(frozen=True)
class _Place:
    """An environment, its hosts, and its deploys that may not be over."""

    around: Around
    environment: str
    members: Sequence[Host]
    deploys: Sequence[Deploy]


def evaluate(
    connection: Connection,
    now: datetime,
    settle: timedelta = SETTLE,
    environments: Collection[str] | None = None,
    ahead: Mapping[Basis, Held] | None = None,
) -> list[Transition]:
    """Bring the drifts of all environments, or of some, to this moment; returns what is to be told.

    What was compared `ahead` is not compared again, unless a host, a reference or a rule changed meanwhile.

    1. Lock the environment: of two workers the second one finds what the first one wrote.
    2. Look at its groups of hosts, at the whole of it, and at who is silent: only at what changed.
    3. Of each: take what is gone from its drifts, and fold what is new into causes, which are drifts old or new.
    4. Let each drift take its step: settle, age, resolve. A step that is to be told is a transition; what still moves
       in another group, as an upgrade of the whole fleet does, has not settled in this one either.
    5. Write drifts and items. Everything of an environment is in the caller's transaction, or nothing.
    """
    around = _around(connection, now, settle, ahead or {})
    everyone = hosts.all_hosts(connection)
    held = evaluated.held_against(connection)
    told: list[Transition] = []
    for name in hosts.environments(connection):
        if environments is None or name in environments:
            told += _environment(around, name, everyone, held.get(name))
    if around.hits:
        rules.count_hits(connection, around.hits, now)
    return told


def compare_ahead(connection: Connection, now: datetime, environment: str) -> dict[Basis, Held]:
    """Compare what `evaluate` will ask for, in a transaction that only reads: thousands of comparisons take long."""
    around = _around(connection, now, SETTLE, {})
    members = [one for one in hosts.all_hosts(connection) if one.environment == environment]
    found: dict[Basis, Held] = {}
    for group, own in _groups(members).items():
        found |= compared_ahead(around, group, own)
    return found


def _around(connection: Connection, now: datetime, settle: timedelta, ahead: Mapping[Basis, Held]) -> Around:
    active = rules.active(connection, now)
    return Around(connection, now, settle, active, rules_hash(active), evaluated.approvals(connection), ahead)


def _groups(members: Iterable[Host]) -> dict[str, list[Host]]:
    """Hosts by the selector of their peers."""
    groups: dict[str, list[Host]] = {}
    for one in members:
        groups.setdefault(group_of(one), []).append(one)
    return groups


def _environment(around: Around, name: str, everyone: Sequence[Host], against: str | None) -> list[Transition]:
    connection = around.connection
    drifts.locked(connection, name)
    before = {one.id: one for one in drifts.open_in(connection, name)}
    members = [one for one in everyone if one.environment == name]
    marked = {one.deploy for one in before.values() if one.deploy}
    place = _Place(around, name, members, deploys.recent(connection, name, around.now - around.settle, marked))
    groups = _groups(members)
    silent, whole, of_groups = _sorted(before.values())
    views = [(of_peers(around, group, groups.get(group, [])), of_groups.get(group, []))
             for group in sorted(groups.keys() | of_groups.keys())]  # fmt: skip
    views.append((of_whole(around, name, against, _both(everyone, name, against, around.now)), whole))
    views.append((of_silence(around, name, members), silent))
    told: list[Transition] = []
    for view, mine in views:
        after, again, events = _group(place, view, mine)
        drifts.save(connection, {**before, **again}, after)
        told += events
    return told


def _sorted(open: Collection[Drift]) -> tuple[list[Drift], list[Drift], dict[str, list[Drift]]]:
    """Drifts that are silence, of the whole environment, and of each group of hosts."""
    silent = [one for one in open if one.kind == STALE]
    rest = [one for one in open if one.kind != STALE]
    whole = [one for one in rest if one.is_whole]
    groups: dict[str, list[Drift]] = {}
    for one in rest:
        if not one.is_whole:
            groups.setdefault(one.selector, []).append(one)
    return silent, whole, groups


def _both(everyone: Sequence[Host], name: str, against: str | None, now: datetime) -> list[Host]:
    """The hosts of an environment and of what it is held against."""
    other = parse_selector(against, now) if against else None
    return [one for one in everyone if one.environment == name or (other and covers(other, one))]


def _group(place: _Place, view: View, mine: Sequence[Drift]) -> tuple[list[Drift], dict[str, Drift], list[Transition]]:
    """The drifts of a group as they are after this evaluation, those of them that came again, and what is told."""
    around = place.around
    refreshed = {
        one.id: replace(one, items=causes.refreshed(_course(one), view.found, view.is_gone, around.now)) for one in mine
    }
    taken = {(item.subject, item.key) for one in refreshed.values() for item in one.live}
    fresh = [view.dated(finding) for found, finding in view.found.items() if found not in taken]
    old = _resolved(place, view) if any(not one.first for one in fresh) else {}
    folded = view.folding(fresh, [_course(one) for one in refreshed.values()], [_course(one) for one in old.values()])
    before = {one.id: one for one in mine} | old
    after = dict(refreshed)
    for cause in folded:
        one = after.get(cause.drift or "") or old.get(cause.drift or "") or _begun(place, view, cause)
        after[one.id] = _joined(place, view, one, cause.findings)
    told = []
    for id, one in after.items():
        after[id], event = _stepped(place, view, before.get(id), one)
        told += [Transition(id, _named(event, one))] if event else []
    return list(after.values()), {id: one for id, one in old.items() if id in after}, told


def _named(event: Event, one: Drift) -> Event:
    return Event.STALE if event == Event.NEW and one.kind == STALE else event


def _course(one: Drift) -> Course:
    return Course(one.id, one.state, one.first, one.first_seen, one.items)


def _resolved(place: _Place, view: View) -> dict[str, Drift]:
    """The resolved drifts of a group that may come again."""
    found = drifts.resolved_since(place.around.connection, place.environment, place.around.now - REMEMBERED)
    return {one.id: one for one in found if one.kind != STALE and one.selector == view.selector}


def _begun(place: _Place, view: View, cause: Cause) -> Drift:
    """A new drift, without its items."""
    now, first = place.around.now, cause.findings[0]
    life = begun(now, first.first)
    return Drift(
        drifts.made_id(),
        view.selector,
        place.environment,
        view.references.get(first.item.subject, ""),
        first.item.key.section,
        first.kind,
        Severity.INFO,
        "",
        life.first,
        life.state,
        life.state_since,
        now,
        now,
        life.last_moved,
        Moved.UNKNOWN,
        deploy=_deploy(place, cause.findings),
        is_whole=first.item.subject.startswith("env:"),
    )


def _joined(place: _Place, view: View, one: Drift, findings: Sequence[Finding]) -> Drift:
    """A drift with more items; who moved is what most of the latest ones say."""
    items = {(item.subject, item.key): item for item in one.items}
    items |= {(found.item.subject, found.item.key): found.item for found in findings}
    votes = Counter(found.moved for found in findings).most_common(2)
    tied = len(votes) > 1 and votes[0][1] == votes[1][1]
    actors = sorted({found.actor for found in findings if found.actor})
    last = findings[-1].item
    deploy = one.deploy if any(item.gone_at is None for item in one.items) else _deploy(place, findings)
    return replace(
        one,
        items=tuple(items.values()),
        moved=Moved.UNKNOWN if tied else votes[0][0],
        actor=", ".join(actors) or one.actor,
        reference=view.references.get(last.subject, one.reference),
        deploy=deploy,
    )


def _deploy(place: _Place, findings: Sequence[Finding]) -> str | None:
    """The deploy that all of these began in, on its hosts."""
    by_id = {one.id: one for one in place.members}
    subjects = [by_id.get(found.item.subject) for found in findings]
    starts = [found.item.since_before for found in findings if found.item.since_before]
    for one in place.deploys:
        selector = parse_selector(one.hosts, place.around.now)
        within = all(start >= one.begun_at for start in starts) and len(starts) == len(findings)
        if within and all(subject is not None and covers(selector, subject) for subject in subjects):
            return None if one.is_over(place.around.now, place.around.settle) else one.id
    return None


def _stepped(place: _Place, view: View, before: Drift | None, one: Drift) -> tuple[Drift, Event | None]:
    """A drift after its step in life, in the words that it has then."""
    around = place.around
    was, live = {item.subject for item in before.live} if before else set(), one.live
    subjects = {item.subject for item in live}
    deploy = next((each for each in place.deploys if each.id == one.deploy), None)
    sight = Sight(
        was_live=bool(was),
        is_live=bool(live),
        moved=was != subjects,
        urgent=any(item.severity == Severity.CRITICAL and _is_confirmed(item, view) for item in live),
        held=deploy is not None and not deploy.is_over(around.now, around.settle),
    )
    life, event = step(one.life, sight, around.now, view.settle)
    waits = event not in (None, Event.RESOLVED) and not sight.urgent and around.now - one.state_since < LONGEST
    if waits and drifts.moves_elsewhere(around.connection, one, around.now - view.settle):
        life, event = step(one.life, replace(sight, held=True), around.now, view.settle)
    one = one.living(life)
    if live:
        one = replace(one, last_seen=around.now, severity=max(item.severity for item in live))
    shown = live or (_last(one) if event else ())
    return (replace(one, words=_words(view, one, shown, deploy)) if shown else one), event


def _last(one: Drift) -> tuple[Item, ...]:
    """The items that it had since it was told."""
    told = one.notified_at
    return tuple(item for item in one.items if item.gone_at and told and item.gone_at >= told)


def _is_confirmed(item: Item, view: View) -> bool:
    """Whether a report after the one that it came with has it still."""
    last = view.reports.get(item.subject)
    return last is not None and item.since_before is not None and last > item.since_before


def _in_deploy(deploy: Deploy, one: Drift) -> str:
    """What a deploy has to do with a drift: while it is held for it, or after."""
    return f"{'in' if one.state == State.SETTLING else 'left by'} deploy {deploy.name or deploy.id}"


def _words(view: View, one: Drift, shown: Sequence[Item], deploy: Deploy | None) -> str:
    hosts_ever = len({item.subject for item in one.items})
    moving = one.live and one.last_seen - one.last_moved < view.settle
    told = Told(
        one.selector,
        one.reference,
        one.section,
        one.kind,
        one.moved,
        shown,
        view.names,
        view.peers,
        converging=bool(moving) and hosts_ever > 1 and not one.first,
        actor=one.actor,
        deploy=_in_deploy(deploy, one) if deploy else None,
        regressions=one.regressions,
    )
    return words(told)
