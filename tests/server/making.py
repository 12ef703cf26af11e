"""Makes sections and fingerprints as collectors make them, and strategies that make them at random."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st

from envparity_agent.documents import examined
from envparity_agent.fingerprint import (
    Attributes,
    Fingerprint,
    FingerprintLike,
    Reason,
    Section,
    Status,
    Target,
    Value,
)
from envparity_agent.kinds import KINDS
from envparity_server.compare.differences import compare
from envparity_server.compare.model import Comparison, Distance, State

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
HOST = Target("host", "web-1")

_KINDS = {"python": "python-search"}


def section(
    path: str,
    items: Mapping[str, Attributes] | None = None,
    status: Status = Status.OK,
    *reasons: str,
    kind: str = "",
    schema: int = 1,
) -> Section:
    """A section of the kind that its path says."""
    usual = _KINDS.get(path) or path.partition("/")[0]
    return Section(path, kind or usual, schema, items or {}, status, reasons)


def host(*sections: Section, name: str = "web-1", kind: str = "host") -> Fingerprint:
    """A fingerprint of these sections."""
    return Fingerprint(Target(kind, name), NOON.isoformat(), {one.path: one for one in sections})


def versions(pinned: Mapping[str, str]) -> dict[str, Attributes]:
    """Items that have a version only."""
    return {name: {"version": version} for name, version in pinned.items()}


def objects(*fingerprints: Fingerprint) -> list[tuple[str, bytes]]:
    """Every object of the fingerprints with its kind, as the server stores them."""
    return [(examined(body).kind, body) for one in fingerprints for body in one.objects().values()]


def tree(fingerprint: Fingerprint) -> dict[str, str]:
    """The sections of a fingerprint, path -> hash."""
    return {path: one.hash for path, one in fingerprint.sections.items()}


SEARCHED = section("python")
ENGINE = section("containers", {"engine": {"version": "26.1", "store": "graphdriver", "cgroup": "2"}})
OPERATING_SYSTEM = section("os", {"distribution": {"id": "debian", "version": "12", "name": "Debian GNU/Linux 12"}})


def packages(pinned: Mapping[str, str], path: str = "python/srv/shop") -> Section:
    """A Python environment of these distributions."""
    return section(path, versions(pinned))


Told = tuple[str, str, str, State, Distance | None]


def told(comparison: Comparison) -> list[Told]:
    """Each difference in short."""
    return [(one.section, one.item, one.attribute, one.state, one.distance) for one in comparison.differences]


def compared(sides: Iterable[FingerprintLike]) -> Comparison:
    """The comparison of two fingerprints that come as one value."""
    left, right = sides
    return compare(left, right)


def states(left: FingerprintLike, right: FingerprintLike) -> list[State]:
    """The states of all differences of two fingerprints."""
    return [one.state for one in compare(left, right).differences]


PATHS = (
    "os", "machine", "os-packages", "python", "python/srv/shop", "python/usr/lib/python3.11", "python/usr/lib/python3",
    "containers", "container/shop.web", "container/db", "container/db#2", "future",
)  # fmt: skip

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
version_texts = (
    st.from_regex(r"\A([0-9]!)?[0-9]{1,2}(\.[0-9]{1,2}){0,3}((a|b|rc|\.post|\.dev)[0-9])?(\+[a-z0-9]{1,3})?\Z")
    | st.text("0123456789.:-+~abcrdevpost!", max_size=10)
    | texts
)
values: st.SearchStrategy[Value] = (
    texts
    | version_texts
    | st.integers(-5, 5)
    | st.booleans()
    | st.lists(texts, max_size=3, unique=True).map(lambda parts: tuple(sorted(parts)))
)
item_names = texts.filter(bool) | st.sampled_from(["@python", "image", "tag", "requests", "requests#lib", "layer:/etc"])


def attributes(kind: str) -> st.SearchStrategy[dict[str, Value]]:
    """Attributes that a kind declares, and one that it does not."""
    known = [name for (one, _), declared in KINDS.items() if one == kind for name in declared.attributes]
    return st.dictionaries(st.sampled_from([*known, "specifier", "unheard-of"]), values, max_size=4)


@st.composite
def sections(draw: st.DrawFn, path: str, statuses: tuple[Status, ...] = tuple(Status)) -> Section:
    """A section at a path, of any status, with a reason where it is not ok."""
    plain = section(path)
    items = draw(st.dictionaries(item_names, attributes(plain.kind), max_size=6))
    status = draw(st.sampled_from(statuses))
    if status == Status.OK:
        return section(path, items)
    reason = draw(st.sampled_from([Reason.PERMISSION, Reason.CONSENT, Reason.NOT_INSTALLED]))
    return section(path, items if status == Status.PARTIAL else {}, status, reason)


@st.composite
def fingerprints(draw: st.DrawFn, statuses: tuple[Status, ...] = tuple(Status)) -> Fingerprint:
    """A fingerprint of some sections."""
    paths = draw(st.lists(st.sampled_from(PATHS), unique=True, max_size=6))
    return host(*(draw(sections(path, statuses)) for path in paths))


@st.composite
def twins(draw: st.DrawFn, statuses: tuple[Status, ...] = tuple(Status)) -> tuple[Fingerprint, Fingerprint]:
    """Two fingerprints that have much in common, as two hosts of one fleet have."""
    left = draw(fingerprints(statuses))
    kept = dict(left.sections)
    for path in draw(st.lists(st.sampled_from(PATHS), unique=True, max_size=3)):
        if draw(st.sampled_from([True, False])):
            kept[path] = draw(sections(path, statuses))
        else:
            kept.pop(path, None)
    for path, one in list(kept.items()):
        changes = draw(st.booleans())
        if one.items and changes:
            items = dict(one.items)
            items[draw(st.sampled_from(sorted(items)))] = draw(attributes(one.kind))
            kept[path] = section(path, items, one.status, *one.reasons)
    return left, host(*kept.values(), name="web-2")


def shuffled(value: Any, draw: st.DrawFn) -> Any:
    """The same mappings, each in another order of its keys."""
    if not isinstance(value, Mapping):
        return value
    keys = draw(st.permutations(list(value)))
    return {key: shuffled(value[key], draw) for key in keys}
