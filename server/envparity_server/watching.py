"""What an evaluation sees: hosts held against their references, environments against others, and hosts that are silent.

What is as it was at the last evaluation, the same roots, reference and rules, is not compared again.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from envparity_agent import __version__
from envparity_agent.canonical import canonical, digest
from envparity_agent.errors import EnvparityError
from envparity_agent.fingerprint import FingerprintLike, Target
from envparity_server.compare.differences import compare
from envparity_server.compare.model import Difference
from envparity_server.drift import silence
from envparity_server.drift.causes import Cause, Course, Place, fold
from envparity_server.drift.findings import Finding, Item, Look, Moved, look
from envparity_server.drift.rules import Rule, Subject, applied
from envparity_server.drift.severity import rate
from envparity_server.references import Reference, references_for, resolve
from envparity_server.storage import content, evaluated, history
from envparity_server.storage.content import StoredFingerprint
from envparity_server.storage.evaluated import Evaluated, Window
from envparity_server.storage.hosts import Host
from envparity_server.storage.items import key_of

Basis = tuple[str, str, str, str, str]  # of an evaluation: all that it follows from
Folding = Callable[[Sequence[Finding], Sequence[Course], Sequence[Course]], list[Cause]]


@dataclass(frozen=True)
class Held:
    """A subject held against its reference: what was seen, and how many differences each rule covered."""

    look: Look
    hits: Mapping[str, int]


@dataclass(frozen=True)
class Around:
    """What all groups of an evaluation have in common."""

    connection: Connection
    now: datetime
    settle: timedelta
    rules: Sequence[Rule]
    rules_hash: str
    approvals: str
    ahead: Mapping[Basis, Held] = field(default_factory=dict)  # what was compared before
    hits: Counter[str] = field(default_factory=Counter)  # rule -> differences that it covered


@dataclass(frozen=True)
class View:
    """What is seen of one group; `found` has what differs on the subjects that were looked at."""

    selector: str
    peers: int
    settle: timedelta
    found: Mapping[Place, Finding]
    is_gone: Callable[[Item], bool]
    dated: Callable[[Finding], Finding] = lambda one: one
    references: Mapping[str, str] = field(default_factory=dict)  # subject -> name of what it was held against
    reports: Mapping[str, datetime] = field(default_factory=dict)  # subject -> its last report
    names: Mapping[str, str] = field(default_factory=dict)
    folding: Folding = fold


def rules_hash(rules: Sequence[Rule]) -> str:
    """A hash of all that decides what a difference means: the rules, and this program."""
    return digest(canonical([__version__, *(repr(one) for one in rules)]))


def compared_ahead(around: Around, selector: str, members: Sequence[Host]) -> dict[Basis, Held]:
    """What `of_peers` will have to compare, for whoever evaluates in a transaction that keeps others waiting."""
    mark, before = _stood(around, selector, members)
    looked = {} if _is_as(before.get(mark.subject), mark) else _looked(around, selector, members, before)
    return {one.mark.basis: one.held for one in looked.values()}


def of_peers(around: Around, selector: str, members: Sequence[Host]) -> View:
    """The hosts of a group, each fresh one held against its reference."""
    connection, now = around.connection, around.now
    mark, before = _stood(around, selector, members)
    last_mark = before.get(mark.subject)
    here = {one.id: one for one in members if not (one.ephemeral and one.state(now) != "fresh")}
    looked = {} if _is_as(last_mark, mark) else _looked(around, selector, members, before)
    for one in looked.values():
        around.hits.update(one.held.hits)
    evaluated.remember(connection, [mark, *(one.mark for one in looked.values())])
    last = last_mark.at if last_mark else None

    def is_gone(item: Item) -> bool:
        return item.subject not in here or (item.subject in looked and looked[item.subject].held.look.is_gone(item.key))

    return View(
        selector,
        len(here),
        around.settle,
        _found([one.held.look for one in looked.values()]),
        is_gone,
        _Dating(around, looked, before, last).dated,
        {id: one.reference for id, one in looked.items()},
        {one.id: one.seen_at for one in members if one.seen_at},
        {one.id: one.name for one in members},
    )


def _stood(around: Around, selector: str, members: Sequence[Host]) -> tuple[Evaluated, Mapping[str, Evaluated]]:
    """How a group stands now, and how it and its hosts did the last time."""
    mark = _mark(around, f"peers of {selector}", selector, _standing(members, around.now), around.approvals)
    return mark, evaluated.known(around.connection, [mark.subject, *(one.id for one in members)])


def of_whole(around: Around, environment: str, against: str | None, members: Sequence[Host]) -> View:
    """An environment that is meant to be like another one, held against it as a whole."""
    connection, now, subject = around.connection, around.now, f"env:{environment}"
    if against is None:
        evaluated.forget(connection, [subject])
        return View(subject, 1, around.settle, {}, lambda _: True)
    before = evaluated.known(connection, [subject]).get(subject)
    mark = _mark(around, subject, against, _standing(members, now), around.approvals)
    looks: list[Look] = []
    if before and before.is_as(mark):
        evaluated.remember(connection, [replace(before, at=now)])
    else:
        sides = _sides(connection, subject, against, now)
        if sides:
            held = _held(around, subject, Subject(subject, environment), *sides)
            around.hits.update(held.hits)
            looks.append(held.look)
            evaluated.remember(connection, [mark])
    dating = _DatingOfWhole(around, environment, before.at if before else None, members if looks else ())
    return View(
        subject,
        1,
        around.settle,
        _found(looks),
        lambda item: any(one.is_gone(item.key) for one in looks),
        dating.dated,
        {subject: against},
        {subject: now},
    )


def of_silence(around: Around, environment: str, members: Sequence[Host]) -> View:
    """The hosts of an environment that are due and do not report; ephemeral ones come and go."""
    now, subject = around.now, f"silence of env:{environment}"
    lasting = [one for one in members if not one.ephemeral]
    is_first = not evaluated.known(around.connection, [subject])
    if is_first:
        evaluated.remember(around.connection, [_mark(around, subject, environment, "", "")])
    found: dict[Place, Finding] = {}
    for one in lasting:
        if one.seen_at and one.state(now) == "stale":
            due = one.seen_at + timedelta(seconds=one.interval)
            found[one.id, silence.REPORTS] = silence.silent(one.id, one.seen_at, due, is_first)
    return View(
        f"env:{environment}",
        len(lasting),
        # hosts that fell silent at one moment are missed within an interval of each other
        timedelta(seconds=max((one.interval for one in lasting), default=0)),
        found,
        lambda item: (item.subject, item.key) not in found,
        names={one.id: one.name for one in members},
        folding=lambda fresh, courses, _: silence.fold(fresh, courses),
    )


@dataclass(frozen=True)
class _Looked:
    """A host that was compared."""

    held: Held
    mark: Evaluated
    reference: str
    root_since: datetime  # the first report with its present root


def _looked(
    around: Around, selector: str, members: Sequence[Host], before: Mapping[str, Evaluated]
) -> dict[str, _Looked]:
    """Compare each fresh host that has a reference, unless it was compared as it is."""
    fresh = [one for one in members if one.state(around.now) == "fresh"]
    references = references_for(around.connection, fresh, around.now)
    hashes: dict[int, str] = {}
    marks = {
        one.id: Evaluated(
            one.id, selector, one.root or "", _hash(references[one.id], hashes), around.rules_hash, one.seen_at,
            around.now,
        )
        for one in fresh
        if one.id in references
    }  # fmt: skip
    changed = [one for one in fresh if one.id in marks and not _is_as(before.get(one.id), marks[one.id])]
    trees = history.at(around.connection, [one.id for one in changed])
    stored = content.stored(around.connection, {id: tree.sections for id, tree in trees.items()})
    found = {}
    for one in changed:
        own = StoredFingerprint(Target("host", one.name), one.taken_at or "", stored[one.id])
        reference, mark = references[one.id], marks[one.id]
        subject = Subject(one.name, one.environment, one.labels, one.id)
        held = around.ahead.get(mark.basis) or _held(around, one.id, subject, own, reference.fingerprint)
        found[one.id] = _Looked(held, mark, reference.name, trees[one.id].interval.first_seen)
    return found


def _is_as(before: Evaluated | None, mark: Evaluated) -> bool:
    return before is not None and before.is_as(mark)


def _held(around: Around, id: str, subject: Subject, fingerprint: FingerprintLike, reference: FingerprintLike) -> Held:
    comparison = applied(rate(compare(fingerprint, reference)), around.rules, [subject], around.now)
    hits = Counter(one.rule for one in comparison.differences if one.rule)
    named = tuple(_named(one, key_of(one.item)) for one in comparison.differences)
    return Held(look(id, replace(comparison, differences=named), fingerprint), hits)


def _named(difference: Difference, item: str) -> Difference:
    return difference if difference.item == item else replace(difference, item=item)


def _found(looks: Sequence[Look]) -> dict[Place, Finding]:
    return {
        (one.subject, key): Finding(
            Item(
                one.subject, key, str(found.state), found.left, found.right,
                str(found.distance) if found.distance else None, found.severity, None, None,
            ),
            found.kind,
        )
        for one in looks
        for key, found in one.found.items()
    }  # fmt: skip


class _Dating:
    """When what is new on a host came, and who moved: the host, if it reported a change since it was last looked at."""

    def __init__(
        self, around: Around, looked: Mapping[str, _Looked], before: Mapping[str, Evaluated], last: datetime | None
    ) -> None:
        self._looked, self._before, self._last, self._now = looked, before, last, around.now
        known = {id: before[id] for id in looked if id in before and before[id].peers == looked[id].mark.peers}
        moved = [id for id, one in known.items() if one.root != looked[id].mark.root]
        self._known = known
        self._moves = evaluated.moves(around.connection, {id: known[id].seen_at for id in moved})
        self._ended = evaluated.last_seen_before(around.connection, moved)

    def dated(self, finding: Finding) -> Finding:
        id, key = finding.item.subject, finding.item.key
        if id not in self._known:
            return replace(finding, first=True)
        old, new = self._known[id], self._looked[id].mark
        change = self._moves.get((id, key.section, key.item)) or self._moves.get((id, key.section, ""))
        by_reference = Window(self._last, self._now)
        if change:
            return _dated(finding, Moved.HOST, change)
        if old.root == new.root:
            return _dated(finding, Moved.REFERENCE if old.reference != new.reference else Moved.UNKNOWN, by_reference)
        if old.reference == new.reference:
            return _dated(finding, Moved.HOST, Window(self._ended.get(id), self._looked[id].root_since))
        return _dated(finding, Moved.UNKNOWN, by_reference)


class _DatingOfWhole:
    """When an environment and what it is held against came apart, and which of the two moved: by what hosts changed."""

    def __init__(self, around: Around, environment: str, last: datetime | None, members: Sequence[Host]) -> None:
        self._last, self._now = last, around.now
        own = {one.id for one in members if one.environment == environment}
        moves = evaluated.moves(around.connection, {one.id: last for one in members}) if last else {}
        self._moves: dict[tuple[str, str], dict[Moved, Window]] = {}
        for (id, section, item), window in moves.items():
            sides = self._moves.setdefault((section, item), {})
            side = Moved.HOST if id in own else Moved.REFERENCE
            sides[side] = min(sides.get(side, window), window, key=lambda one: one.before)

    def dated(self, finding: Finding) -> Finding:
        if self._last is None:
            return replace(finding, first=True)
        key = finding.item.key
        sides = self._moves.get((key.section, key.item)) or self._moves.get((key.section, "")) or {}
        if len(sides) == 1:
            ((moved, window),) = sides.items()
            return _dated(finding, moved, window)
        return _dated(finding, Moved.UNKNOWN, Window(self._last, self._now))


def _dated(finding: Finding, moved: Moved, window: Window) -> Finding:
    item = replace(finding.item, since_after=window.after, since_before=window.before)
    return replace(finding, item=item, moved=moved, actor=window.actor)


def _sides(
    connection: Connection, left: str, right: str, now: datetime
) -> tuple[FingerprintLike, FingerprintLike] | None:
    """What two selectors stand for; None where either cannot be relied on."""
    try:
        found = [resolve(connection, text, now) for text in (left, right)]
    except EnvparityError:  # nothing was reported there, or the selector names nothing any more
        return None
    return None if any(one.doubts for one in found) else (found[0].fingerprint, found[1].fingerprint)


def _mark(around: Around, subject: str, peers: str, root: str, reference: str) -> Evaluated:
    return Evaluated(subject, peers, root, reference, around.rules_hash, None, around.now)


def _standing(members: Sequence[Host], now: datetime) -> str:
    """A hash of all that a vote of hosts follows from."""
    standing = [[one.id, one.name, one.root, one.state(now), one.ephemeral, dict(one.labels)] for one in members]
    return digest(canonical(sorted(standing, key=lambda one: str(one[0]))))


def _hash(reference: Reference, known: dict[int, str]) -> str:
    """A hash of what a reference says; of one object that many hosts share it is taken once."""
    found = known.get(id(reference))
    if found is None:
        sections = {path: one.hash for path, one in reference.fingerprint.sections.items()}
        found = known[id(reference)] = digest(canonical([reference.name, sections]))
    return found
