"""Counts who has which value of each item of a section; pages that all hosts share are counted and never opened."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from envparity_agent.canonical import canonical
from envparity_agent.fingerprint import Attributes, Items, SectionLike, position_of
from envparity_agent.kinds import KINDS, compared_between

_KNOWN = frozenset(kind for kind, _ in KINDS)

Voters = Sequence[int]  # the positions of hosts in the list of all that are asked
Alternative = tuple[Items, Voters]


@dataclass(frozen=True)
class Stand:
    """One value of an item, None where it is not there, and who has it."""

    body: Attributes | None
    voters: Voters


def compared(sections: Iterable[SectionLike]) -> frozenset[str] | None:
    """The attributes that all of some sections declare, None for all; what is kept for people takes no part."""
    schemas = {(one.kind, one.schema) for one in sections}
    return compared_between(*schemas) | {"specifier"} if {kind for kind, _ in schemas} <= _KNOWN else None


def pages(
    sections: Sequence[tuple[int, SectionLike]], item: str = "", shared: bool = True
) -> Iterator[list[Alternative]]:
    """The distinct pages at each position of some sections, each with its voters; of unlike paged ones all items.

    Of an `item` only the position where it stands; not `shared`: only where they differ, no other page is opened.
    """
    distinct = _grouped((one.hash, one, [voter]) for voter, one in sections)
    if not shared and len(distinct) == 1:
        return
    counts = {len(one.page_hashes) for one, _ in distinct}
    if len(counts) > 1:
        yield [(one.items, voters) for one, voters in distinct]
        return
    count = counts.pop()
    for position in [position_of(item, count)] if item and count else range(count):
        held = _grouped((one.page_hashes[position], one, voters) for one, voters in distinct)
        if shared or len(held) > 1:
            yield [(one.page(position), voters) for one, voters in held]


def _grouped(entries: Iterable[tuple[str, SectionLike, Voters]]) -> list[tuple[SectionLike, list[int]]]:
    """Sections by what they share, each with the voters of all that do."""
    groups: dict[str, tuple[SectionLike, list[int]]] = {}
    for hash, section, voters in entries:
        groups.setdefault(hash, (section, []))[1].extend(voters)
    return list(groups.values())


def tallied(alternatives: Sequence[Alternative], names: frozenset[str] | None) -> Iterator[tuple[str, list[Stand]]]:
    """The stands on each item of some pages, the one with the most voters first; only `names` are compared."""
    if len(alternatives) == 1:
        [(items, everyone)] = alternatives
        yield from ((name, [Stand(items[name], everyone)]) for name in sorted(items))
        return
    for name in sorted({name for items, _ in alternatives for name in items}):
        exact: dict[object, tuple[Attributes | None, list[int]]] = {}
        for items, voters in alternatives:
            body = items.get(name)
            exact.setdefault(_exact(body), (body, []))[1].extend(voters)
        if len(exact) == 1:
            ((body, everyone),) = exact.values()
            yield name, [Stand(body, everyone)]
            continue
        alike: dict[object, list[tuple[Attributes | None, list[int]]]] = {}
        for body, having in exact.values():
            alike.setdefault(_exact(projected(body, names)), []).append((body, having))
        yield name, sorted((_stand(bodies) for bodies in alike.values()), key=lambda stand: -len(stand.voters))


def _stand(bodies: Sequence[tuple[Attributes | None, list[int]]]) -> Stand:
    """Bodies that are alike in what is compared: the commonest is shown."""
    if len(bodies) == 1:
        return Stand(*bodies[0])
    shown, _ = max(bodies, key=lambda one: (len(one[1]), canonical(one[0])))
    return Stand(shown, [voter for _, voters in bodies for voter in voters])


def _exact(body: Attributes | None) -> object:
    """What is equal only for equal bodies, and cheap: true is not 1."""
    return None if body is None else (tuple(body.items()), tuple(map(type, body.values())))


def projected(body: Attributes | None, names: frozenset[str] | None) -> Attributes | None:
    """What of an item takes part in a vote, by name."""
    if body is None:
        return None
    return {name: body[name] for name in sorted(body) if names is None or name in names}


def share(sections: Sequence[tuple[int, SectionLike]], item: str) -> tuple[int, int]:
    """How many of some hosts have the commonest value of an item, and how many there are; having none is a value."""
    for alternatives in pages(sections, item):
        alone = [({item: items[item]} if item in items else {}, voters) for items, voters in alternatives]
        for _, stands in tallied(alone, compared(one for _, one in sections)):
            return len(stands[0].voters), len(sections)
    return len(sections), len(sections)
