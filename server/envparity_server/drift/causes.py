"""Folds findings into causes: one cause on many hosts and many items is one drift; pure.

1. What its subject had from the start folds per section: subjects with the very same are one; nothing else joins.
2. What differs in an open drift already belongs to it: another host joins. A drift that somebody decided on covers the
   values that were seen in it, and no others.
3. What came to a section in one report is one cause; it belongs to the drift that another part of it belongs to.
4. Causes that share an item are one. One whose like was resolved not long ago is that drift again.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeAlias

from envparity_agent.fingerprint import Value
from envparity_server.drift.findings import Finding, Item, Key, Moved
from envparity_server.drift.life import DECIDED, State

_STILL_JOINED = frozenset({State.SETTLING, State.NEW, State.REGRESSED})

Place: TypeAlias = tuple[str, Key]  # a subject, and what differs on it
_Bundle: TypeAlias = tuple[str, str, datetime | None]  # section, subject or none, moment: what came at once


@dataclass(frozen=True)
class Course:
    """A drift that findings may belong to, with every item that it has or had."""

    id: str
    state: State
    first: bool
    first_seen: datetime
    items: Sequence[Item]
    values: Mapping[Key, frozenset[Value]] = field(init=False)

    def __post_init__(self) -> None:
        values: dict[Key, set[Value]] = defaultdict(set)
        for one in self.items:
            values[one.key] |= {one.left, one.right}
        object.__setattr__(self, "values", {key: frozenset(known) for key, known in values.items()})

    def covers(self, key: Key, left: Value) -> bool:
        """Whether what a subject has belongs to it: nothing that nobody was told of hides behind a decision."""
        known = self.values.get(key)
        closed = self.first or self.state in DECIDED
        return known is not None and (not closed or left in known)


@dataclass(frozen=True)
class Cause:
    """Findings that belong together; `drift` is None where they make a new one."""

    drift: str | None
    findings: tuple[Finding, ...]


def fold(findings: Iterable[Finding], open: Sequence[Course], resolved: Sequence[Course]) -> list[Cause]:
    """The causes of new findings of one group; the same in whatever order they come."""
    ordered = sorted(findings, key=lambda one: (one.item.key, one.item.subject))
    courses = sorted(open, key=lambda one: (one.first_seen, one.id))
    placed: dict[str, list[Finding]] = defaultdict(list)
    made = list(_from_the_start([one for one in ordered if one.first], courses, placed))
    rest = _joined([one for one in ordered if not one.first], [one for one in courses if not one.first], placed)
    latest = sorted((one for one in resolved if not one.first), key=lambda one: (one.first_seen, one.id), reverse=True)
    for cause in _connected(rest):
        again = next((one.id for one in latest if _is_again(one, cause)), None)
        if again:
            placed[again] += cause
        else:
            made.append(Cause(None, tuple(cause)))
    return [*(Cause(id, tuple(found)) for id, found in placed.items()), *made]


def refreshed(
    course: Course, found: Mapping[Place, Finding], is_gone: Callable[[Item], bool], now: datetime
) -> tuple[Item, ...]:
    """The items of a drift as they stand now; one that nothing was learnt of stays, also where it is not known to last.

    A subject that has something else than was decided on left the drift: what it has now is a finding of its own.
    """
    return tuple(one if one.gone_at else _refreshed(course, one, found, is_gone, now) for one in course.items)


def _refreshed(
    course: Course, item: Item, found: Mapping[Place, Finding], is_gone: Callable[[Item], bool], now: datetime
) -> Item:
    there = found.get((item.subject, item.key))
    if there is None:
        return replace(item, gone_at=now) if is_gone(item) else item
    if not course.covers(item.key, there.item.left):
        return replace(item, gone_at=now)
    return replace(there.item, since_after=item.since_after, since_before=item.since_before)


def _from_the_start(
    findings: Sequence[Finding], courses: Sequence[Course], placed: dict[str, list[Finding]]
) -> Iterator[Cause]:
    by_host: dict[tuple[str, str], list[Finding]] = defaultdict(list)
    for one in findings:
        by_host[one.item.key.section, one.item.subject].append(one)
    alike: dict[frozenset[tuple[Key, Value]], list[Finding]] = defaultdict(list)
    for found in by_host.values():
        alike[frozenset((one.item.key, one.item.left) for one in found)] += found
    known = {frozenset((one.key, one.left) for one in course.items): course.id for course in courses if course.first}
    for signature, found in alike.items():
        if signature in known:
            placed[known[signature]] += found
        else:
            yield Cause(None, tuple(found))


def _joined(findings: Sequence[Finding], courses: Sequence[Course], placed: dict[str, list[Finding]]) -> list[Finding]:
    """Place what belongs to an open drift, by itself or by what came with it; returns the rest."""
    homes: dict[Key, list[Course]] = defaultdict(list)
    for course in courses:
        for key in course.values:
            homes[key].append(course)
    rest: list[Finding] = []
    came: dict[_Bundle, str] = {}
    for one in findings:
        home = next((course for course in homes[one.item.key] if course.covers(one.item.key, one.item.left)), None)
        if home is None:
            rest.append(one)
            continue
        placed[home.id].append(one)
        if home.state in _STILL_JOINED:
            came.setdefault(_bundle(one), home.id)
    left: list[Finding] = []
    for one in rest:
        companion = came.get(_bundle(one))
        (placed[companion] if companion else left).append(one)
    return left


def _bundle(finding: Finding) -> _Bundle:
    """What came with it: in one report of its host, or when the reference of all moved."""
    item = finding.item
    alone = "" if finding.moved == Moved.REFERENCE else item.subject
    return item.key.section, alone, item.since_before


def _connected(findings: Sequence[Finding]) -> Iterator[list[Finding]]:
    """Bundles that share a key, transitively, in the order of their first findings."""
    parents: dict[_Bundle | Key, _Bundle | Key] = {}

    def top(node: _Bundle | Key) -> _Bundle | Key:
        while (parent := parents.setdefault(node, node)) != node:
            parents[node] = parents.setdefault(parent, parent)
            node = parent
        return node

    for one in findings:
        parents[top(_bundle(one))] = top(one.item.key)
    together: dict[_Bundle | Key, list[Finding]] = defaultdict(list)
    for one in findings:
        together[top(one.item.key)].append(one)
    yield from together.values()


def _is_again(course: Course, cause: Sequence[Finding]) -> bool:
    """Whether most of a cause is what a resolved drift was, value by value."""
    was = {(one.key, one.left, one.right) for one in course.items}
    same = sum((one.item.key, one.item.left, one.item.right) in was for one in cause)
    return 2 * same > len(cause)
