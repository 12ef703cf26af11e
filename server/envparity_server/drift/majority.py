"""What most hosts of a selector agree on, item by item, as a fingerprint that can be compared like any other."""

from collections import Counter
from collections.abc import Iterable, Sequence

from envparity_agent.fingerprint import (
    SPLIT,
    Attributes,
    Fingerprint,
    FingerprintLike,
    Items,
    Section,
    SectionLike,
    Status,
    Target,
    canonical,
)


def majority(target: Target, taken_at: str, votes: Sequence[FingerprintLike]) -> FingerprintLike:
    """The reference of several hosts; of one host, its own fingerprint.

    A section is in it where more than half of the hosts have it. An item has the value that more than half of the
    hosts whose section is good have; where no value has that, it is an item with the attribute `split`.
    """
    if len(votes) == 1:
        return votes[0]
    paths = sorted({path for vote in votes for path in vote.sections})
    sections = {}
    for path in paths:
        having = [vote.sections[path] for vote in votes if path in vote.sections]
        if 2 * len(having) > len(votes):
            sections[path] = _section(path, having)
    return Fingerprint(target, taken_at, sections)


def _section(path: str, having: list[SectionLike]) -> Section:
    good = [one for one in having if one.status == Status.OK]
    model = (good or having)[0]
    if not good:
        return Section(path, model.kind, model.schema, status=model.status, reasons=model.reasons)
    by_hash = Counter(one.hash for one in good)
    commonest, count = by_hash.most_common(1)[0]
    if 2 * count > len(good):
        model = next(one for one in good if one.hash == commonest)
    items = _items(good) if len(by_hash) > 1 else model.items
    return Section(path, model.kind, model.schema, items)


def _items(sections: list[SectionLike]) -> Items:
    """The majority of each item; pages that several sections share are counted instead of read again."""
    if len({len(one.page_hashes) for one in sections}) > 1:
        weights = Counter(one.hash for one in sections)
        distinct = {one.hash: one.items for one in sections}
        return _agreed([(distinct[hash], hosts) for hash, hosts in weights.items()], len(sections))
    found: dict[str, Attributes] = {}
    for position in range(len(sections[0].page_hashes)):
        pages = Counter(one.page_hashes[position] for one in sections)
        holders = {one.page_hashes[position]: one for one in sections}
        alternatives = [(holders[hash].page(position), hosts) for hash, hosts in pages.items()]
        found.update(_agreed(alternatives, len(sections)))
    return found


def _agreed(alternatives: list[tuple[Items, int]], voters: int) -> Items:
    """The majority of each item of some pages, each with the number of hosts that have it."""
    if len(alternatives) == 1:
        return alternatives[0][0]
    found: dict[str, Attributes] = {}
    for name in sorted({name for items, _ in alternatives for name in items}):
        values: Counter[bytes] = Counter()
        bodies: dict[bytes, Attributes | None] = {}
        for items, hosts in alternatives:
            body = items.get(name)
            key = canonical(body)
            values[key] += hosts
            bodies[key] = body
        key, count = values.most_common(1)[0]
        if 2 * count <= voters:
            found[name] = {SPLIT: _told((bodies[value], hosts) for value, hosts in values.most_common())}
        elif (agreed := bodies[key]) is not None:
            found[name] = agreed
    return found


def _told(values: Iterable[tuple[Attributes | None, int]]) -> tuple[str, ...]:
    """What the hosts have, each with its count."""
    return tuple(sorted(f"{_label(body)}: {hosts} host{'s' if hosts > 1 else ''}" for body, hosts in values))


def _label(body: Attributes | None) -> str:
    if body is None:
        return "not there"
    return str(body.get("version") or next(iter(body.values()), ""))
