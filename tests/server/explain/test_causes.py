"""Tests of the ranking whatever the sides hold: no crash, the same answer each time, in whatever order items come."""

from hypothesis import given
from hypothesis import strategies as st

from envparity_agent.fingerprint import Attributes, Fingerprint, Value
from envparity_server.explain.causes import explain
from tests.server.explain.situations import PATH, situation
from tests.server.making import host, section, shuffled, texts, twins, version_texts

NAMES = st.sampled_from(["@python", "a", "b", "c", "requests", "requests#lib"])
REQUIREMENTS = st.sampled_from(
    [
        "a",
        "b>=1",
        "b<2; python_version < '3.9'",
        "c; extra == 'x'",
        "c[x]~=1.0",
        "a @ file:///x;y ; os_name == 'nt'",
        ";",
    ]
)
UNMET = st.sampled_from(["a (not installed)", "b>=2 (has 1.0)", "c[x]~=1.0 (has 9)", "c (not understood)", "(", "b>=2"])
TAGS = st.sampled_from(
    ["cp311-cp311-manylinux_2_17_x86_64", "py3-none-any", "cp3t-abi3-x", "-", "musllinux", "cp39-cp39-any"]
)


def lists(of: st.SearchStrategy[str]) -> st.SearchStrategy[Value]:
    """A list as an attribute has it."""
    return st.lists(of | texts, max_size=3, unique=True).map(lambda parts: tuple(sorted(parts)))


BODIES: st.SearchStrategy[dict[str, Value]] = st.fixed_dictionaries(
    {},
    optional={
        "version": version_texts,
        "abi": st.sampled_from(["3.11", "3.13t", "x", "3."]),
        "requires": lists(REQUIREMENTS),
        "unmet": lists(UNMET),
        "requires_python": st.sampled_from([">=3.9", "<3", "nonsense", ">=3.12"]),
        "tags": lists(TAGS) | texts,
        "content": texts,
        "via": lists(NAMES),
        "implementation": st.sampled_from(["cpython", "pypy"]),
    },
)
ENVIRONMENTS = st.dictionaries(NAMES, BODIES, max_size=5)


@st.composite
def in_another_order(draw: st.DrawFn, items: dict[str, Attributes]) -> dict[str, Attributes]:
    """The same items, and in each the same attributes."""
    found: dict[str, Attributes] = shuffled(items, draw)
    return found


def told(good: Fingerprint, bad: Fingerprint) -> object:
    """All that an explanation says, but the names of the targets."""
    return explain(situation(good, bad)).document()["causes"]


def side(items: dict[str, Attributes], kind: str) -> Fingerprint:
    """A host with one Python environment."""
    return host(section("python"), section(PATH, items, kind=kind, schema=2))


@given(ENVIRONMENTS, ENVIRONMENTS, st.sampled_from(["python", "declared"]), st.data())
def test_any_two_environments_are_explained_alike_in_whatever_order_their_items_come(
    good: dict[str, Attributes], bad: dict[str, Attributes], kind: str, data: st.DataObject
) -> None:
    found = told(side(good, kind), side(bad, kind))
    others = (data.draw(in_another_order(items)) for items in (good, bad))
    assert found == told(*(side(items, kind) for items in others))


@given(twins())
def test_any_two_fingerprints_are_explained_and_each_difference_has_one_rank(
    sides: tuple[Fingerprint, Fingerprint],
) -> None:
    asked = situation(*sides)
    found = explain(asked)
    assert [one.rank for one in found.causes] == list(range(1, len(asked.suspects) + 1))
    assert {one.suspect for one in found.causes} == asked.suspects.keys()
    assert [one.score for one in found.causes] == sorted((one.score for one in found.causes), reverse=True)


@given(ENVIRONMENTS)
def test_an_environment_has_no_cause_against_itself(items: dict[str, Attributes]) -> None:
    assert told(side(items, "python"), side(items, "python")) == []
