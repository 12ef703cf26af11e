"""Generates fingerprints, and what is no fingerprint, for the tests of the contract."""

import random
from collections.abc import Mapping
from typing import Any, TypeVar

from hypothesis import strategies as st

from envparity_agent.canonical import MAX_INTEGER
from envparity_agent.fingerprint import Fingerprint, Items, Reason, Section, Status, Target, Value

Key = TypeVar("Key")
Inner = TypeVar("Inner")

names = st.text(max_size=12)
texts = st.text(max_size=20)
values: st.SearchStrategy[Value] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-MAX_INTEGER, MAX_INTEGER),
    texts,
    st.lists(texts, max_size=4, unique=True).map(lambda found: tuple(sorted(found))),
)
attributes = st.dictionaries(names, values, max_size=4)
few_items = st.dictionaries(names, attributes, max_size=6)


@st.composite
def many_items(draw: st.DrawFn) -> Items:
    """More items than one page takes, cheap to draw: numbers as names, a few of them with facts of their own."""
    count = draw(st.integers(65, 200))
    return {f"item-{number}": {"version": number} for number in range(count)} | draw(few_items)


@st.composite
def sections(draw: st.DrawFn, path: str = "python/app") -> Section:
    """Any section that keeps the contract."""
    return Section(
        path,
        kind=draw(st.sampled_from(("python", "os", "unheard-of"))),
        schema=draw(st.integers(1, 999)),
        items=draw(st.one_of(few_items, few_items, many_items())),
        status=draw(st.sampled_from(Status)),
        reasons=tuple(draw(st.lists(st.sampled_from(Reason), max_size=3))),
        observed=draw(attributes),
    )


@st.composite
def fingerprints(draw: st.DrawFn, least_sections: int = 0) -> Fingerprint:
    """Any fingerprint that keeps the contract."""
    paths = draw(st.lists(names, min_size=least_sections, max_size=4, unique=True))
    return Fingerprint(
        Target(draw(names), draw(names)),
        taken_at="2026-11-01T02:00:00+00:00",
        sections={path: draw(sections(path)) for path in paths},
        identity=draw(attributes),
        timings=draw(attributes),
    )


documents = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-1000, 1000), st.floats(), texts),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(names, inner, max_size=4)),
    max_leaves=12,
)


def shuffled(mapping: Mapping[Key, Inner], source: random.Random) -> dict[Key, Inner]:
    """The same mapping in another order."""
    pairs = list(mapping.items())
    source.shuffle(pairs)
    return dict(pairs)


def places(document: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path to every value inside a JSON document, the document itself included."""
    found = [path]
    inner = document.items() if isinstance(document, dict) else enumerate(document) if _is_list(document) else ()
    for key, value in inner:
        found += places(value, (*path, key))
    return found


def replaced(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    """The document with another value at that path."""
    if not path:
        return value
    first, rest = path[0], path[1:]
    if isinstance(document, dict):
        return {**document, first: replaced(document[first], rest, value)}
    return [replaced(one, rest, value) if number == first else one for number, one in enumerate(document)]


def _is_list(document: Any) -> bool:
    return isinstance(document, list | tuple)
