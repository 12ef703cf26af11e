"""What most hosts of a selector agree on, item by item, as a fingerprint that can be compared like any other."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

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
from envparity_server.compare.covering import COVERING, covering, is_complete
from envparity_server.compare.groups import text
from envparity_server.drift.tally import compared, pages, projected, tallied

_LONGEST_LABEL = MAX_STRING // 2


Agreeing = Callable[[str, Sequence[SectionLike]], Section]


def majority(
    target: Target, taken_at: str, votes: Sequence[FingerprintLike], agreeing: Agreeing | None = None
) -> FingerprintLike:
    """The reference of several hosts; of one host, its own fingerprint.

    A section is in it where more than half of the hosts that could list it have it; where half have it, it is failed
    (split). An item has the value that more than half of the hosts whose section is good have, in what is compared;
    where no value has that, it is an item with the attribute `split`. `agreeing` may remember what `agreed` says.
    """
    agreeing = agreeing or agreed
    if len(votes) == 1:
        return votes[0]
    alike = shapes(votes)
    sections = {}
    for path in sorted({path for vote in votes for path in vote.sections}):
        having = [vote.sections[path] for vote in votes if path in vote.sections]
        without = len(lacking(path, votes, alike)) if len(having) < len(votes) else 0
        if len(having) > without:
            sections[path] = agreeing(path, having)
        elif len(having) == without:
            sections[path] = Section(path, having[0].kind, having[0].schema, status=Status.FAILED, reasons=(SPLIT,))
    return Fingerprint(target, taken_at, sections)


def shapes(votes: Sequence[FingerprintLike]) -> list[int]:
    """A number for what decides whether a host would list a path: hosts of one number need to be asked once."""
    numbers: dict[frozenset[tuple[str, str]], int] = {}
    lists = frozenset(COVERING.values())
    return [
        numbers.setdefault(
            frozenset(
                (path, one.hash)
                for path, one in vote.sections.items()
                if path in lists or path.startswith(("container/", "image/"))
            ),
            len(numbers),
        )
        for vote in votes
    ]


def lacking(path: str, votes: Sequence[FingerprintLike], shapes: Sequence[int]) -> list[int]:
    """The positions of the hosts that are known not to have a section."""
    without: dict[int, list[int]] = {}
    for position, (vote, shape) in enumerate(zip(votes, shapes, strict=True)):
        if path not in vote.sections:
            without.setdefault(shape, []).append(position)
    return [one for alike in without.values() if would_list(votes[alike[0]], path) for one in alike]


def would_list(vote: FingerprintLike, path: str) -> bool:
    """Whether a host that lacks a section is known not to have it."""
    cover = covering(vote, path)
    return cover is None or is_complete(cover)


def agreed(path: str, having: Sequence[SectionLike]) -> Section:
    """The section that hosts agree on which have it; of what they have, only the content and the order matter."""
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


def _items(sections: Sequence[SectionLike]) -> Items:
    """The majority of each item; pages that several sections share are counted instead of read again."""
    names = compared(sections)
    found: dict[str, Attributes] = {}
    for alternatives in pages(list(enumerate(sections))):
        if len(alternatives) == 1:
            found.update(alternatives[0][0])
            continue
        for name, stands in tallied(alternatives, names):
            first = stands[0]
            if 2 * len(first.voters) <= len(sections):
                found[name] = {SPLIT: _told((projected(one.body, names), len(one.voters)) for one in stands)}
            elif first.body is not None:
                found[name] = first.body
    return found


def _told(values: Iterable[tuple[Attributes | None, int]]) -> tuple[str, ...]:
    """What the hosts have, each with its count."""
    return tuple(sorted({f"{label(body)}: {hosts} host{'s' if hosts > 1 else ''}" for body, hosts in values}))


def label(body: Attributes | None, whole: bool = False) -> str:
    """An item in words: its version alone unless the `whole` is asked for, else all that it has."""
    if body is None:
        return "not there"
    told = ", ".join(_part(name, value) for name, value in sorted(body.items()) if name != "key")
    shown = told if whole else str(body.get("version") or told)
    return shown if len(shown) <= _LONGEST_LABEL else f"{shown[:_LONGEST_LABEL]}…"


def _part(name: str, value: Value) -> str:
    """An attribute in words; of a keyed hash as much as tells two values apart."""
    return f"other value {value[:6]}" if name == "hmac" and isinstance(value, str) else f"{name} {text(value)}"
