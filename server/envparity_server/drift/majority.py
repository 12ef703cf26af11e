"""What most hosts of a selector agree on, item by item, as a fingerprint that can be compared like any other."""

from collections import Counter
from collections.abc import Iterable, Sequence

from envparity_agent.canonical import canonical
from envparity_agent.fingerprint import (
    MAX_STRING,
    SPLIT,
    Attributes,
    Fingerprint,
    FingerprintLike,
    Items,
    Section,
    SectionLike,
    Status,
    Target,
    Value,
)
from envparity_agent.kinds import KINDS, compared_between
from envparity_server.compare.covering import covering, is_complete

_LONGEST_LABEL = MAX_STRING // 2
_KNOWN = frozenset(kind for kind, _ in KINDS)


def majority(target: Target, taken_at: str, votes: Sequence[FingerprintLike]) -> FingerprintLike:
    """The reference of several hosts; of one host, its own fingerprint.

    A section is in it where more than half of the hosts that could list it have it; where half have it, it is failed
    (split). An item has the value that more than half of the hosts whose section is good have, in what is compared;
    where no value has that, it is an item with the attribute `split`.
    """
    if len(votes) == 1:
        return votes[0]
    paths = sorted({path for vote in votes for path in vote.sections})
    sections = {}
    for path in paths:
        having = [vote.sections[path] for vote in votes if path in vote.sections]
        lacking = sum(path not in vote.sections and _would_list(vote, path) for vote in votes)
        if len(having) > lacking:
            sections[path] = _section(path, having)
        elif len(having) == lacking:
            sections[path] = Section(path, having[0].kind, having[0].schema, status=Status.FAILED, reasons=(SPLIT,))
    return Fingerprint(target, taken_at, sections)


def _would_list(vote: FingerprintLike, path: str) -> bool:
    """Whether a host that lacks a section is known not to have it."""
    cover = covering(vote, path)
    return cover is None or is_complete(cover)


def _section(path: str, having: list[SectionLike]) -> Section:
    good = [one for one in having if is_complete(one)]  # a known absence is knowledge, and votes
    model = (good or having)[0]
    partial = [one for one in having if one.status == Status.PARTIAL]
    if not good and partial:
        reasons_of_all = tuple(sorted({reason for one in partial for reason in one.reasons}))
        return Section(path, model.kind, model.schema, _items(partial), Status.PARTIAL, reasons_of_all)
    if not good:
        return Section(path, model.kind, model.schema, status=model.status, reasons=model.reasons)
    by_hash = Counter(one.hash for one in good)
    commonest, count = by_hash.most_common(1)[0]
    status: Status = Status.OK
    reasons: tuple[str, ...] = ()
    if 2 * count > len(good):
        model = next(one for one in good if one.hash == commonest)
        status, reasons = model.status, model.reasons
    items = _items(good) if len(by_hash) > 1 else model.items
    return Section(path, model.kind, model.schema, items, status, reasons)


def _items(sections: list[SectionLike]) -> Items:
    """The majority of each item; pages that several sections share are counted instead of read again."""
    schemas = {(one.kind, one.schema) for one in sections}
    names = compared_between(*schemas) | {"specifier"} if {kind for kind, _ in schemas} <= _KNOWN else None
    if len({len(one.page_hashes) for one in sections}) > 1:
        weights = Counter(one.hash for one in sections)
        distinct = {one.hash: one.items for one in sections}
        return _agreed([(distinct[hash], hosts) for hash, hosts in weights.items()], len(sections), names)
    found: dict[str, Attributes] = {}
    for position in range(len(sections[0].page_hashes)):
        pages = Counter(one.page_hashes[position] for one in sections)
        holders = {one.page_hashes[position]: one for one in sections}
        alternatives = [(holders[hash].page(position), hosts) for hash, hosts in pages.items()]
        found.update(_agreed(alternatives, len(sections), names))
    return found


def _agreed(alternatives: list[tuple[Items, int]], voters: int, names: frozenset[str] | None) -> Items:
    """The majority of each item of some pages, each with the number of hosts that have it.

    Only `names` are held against each other, None for all: what is kept for people takes no part in the vote.
    """
    if len(alternatives) == 1:
        return alternatives[0][0]
    found: dict[str, Attributes] = {}
    for name in sorted({name for items, _ in alternatives for name in items}):
        values: Counter[bytes] = Counter()
        bodies: dict[bytes, list[tuple[int, bytes, Attributes | None]]] = {}
        for items, hosts in alternatives:
            body = items.get(name)
            key = canonical(_projected(body, names))
            values[key] += hosts
            bodies.setdefault(key, []).append((hosts, canonical(body), body))
        key, count = values.most_common(1)[0]
        if 2 * count <= voters:
            told = ((_projected(bodies[value][0][2], names), hosts) for value, hosts in values.items())
            found[name] = {SPLIT: _told(told)}
        elif (agreed := max(bodies[key], key=lambda one: one[:2])[2]) is not None:
            found[name] = agreed
    return found


def _projected(body: Attributes | None, names: frozenset[str] | None) -> Attributes | None:
    if body is None or names is None:
        return body
    return {name: value for name, value in body.items() if name in names}


def _told(values: Iterable[tuple[Attributes | None, int]]) -> tuple[str, ...]:
    """What the hosts have, each with its count."""
    return tuple(sorted({f"{_label(body)}: {hosts} host{'s' if hosts > 1 else ''}" for body, hosts in values}))


def _label(body: Attributes | None) -> str:
    if body is None:
        return "not there"
    parts = (_part(name, value) for name, value in sorted(body.items()) if name != "key")
    shown = str(body.get("version") or ", ".join(parts))
    return shown if len(shown) <= _LONGEST_LABEL else f"{shown[:_LONGEST_LABEL]}…"


def _part(name: str, value: Value) -> str:
    """An attribute in words; of a keyed hash as much as tells two values apart."""
    return f"other value {value[:6]}" if name == "hmac" and isinstance(value, str) else f"{name} {value}"
