"""Tests of which distributions have to go back together: consistent afterwards, and no more than that."""

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st
from packaging.requirements import Requirement

from envparity_server.compare.markers import Known
from envparity_server.explain.undo.needs import Installed, lacks
from envparity_server.explain.undo.pins import Distributions, plan

KNOWN = Known("3.11.2", "cpython", "linux", "x86_64")
NAMES = ("a", "b", "c", "d")

requirements = st.builds(
    "{}{}{}".format, st.sampled_from(NAMES), st.sampled_from(["", ">=2", "<2", "==1", "!=2"]),
    st.sampled_from(["", "; python_version >= '3.9'", "; sys_platform == 'win32'"]),
)  # fmt: skip
sides = st.dictionaries(
    st.sampled_from(NAMES),
    st.builds(Installed, st.sampled_from(["1", "2", "3"]), st.lists(requirements, max_size=2).map(tuple)),
)


def broken(there: Distributions) -> set[tuple[str, str]]:
    """The requirements that are not fulfilled, according to packaging alone: of whom, and as they are written."""
    found = set()
    for name, one in there.items():
        for text in one.requires:
            wanted = Requirement(text)
            if wanted.marker and not wanted.marker.evaluate({"sys_platform": "linux", "python_version": "3.11"}):
                continue
            other = there.get(wanted.name)
            if other is None or not wanted.specifier.contains(other.version, prereleases=True):
                found.add((name, f"{wanted.name}{wanted.specifier}"))
    return found


@given(sides, sides, st.sampled_from(NAMES))
def test_what_is_broken_afterwards_was_so_before_or_is_named(
    good: Distributions, bad: Distributions, name: str
) -> None:
    planned = plan(good, bad, [name], KNOWN)
    known = broken(bad) | broken(good) | {(one.owner, one.wanted) for one in planned.broken}
    assert broken(planned.after) <= known
    assert planned.after == {
        one: found
        for one in {*good, *bad}
        if (found := (good if one in planned.moved else bad).get(one)) is not None
    }  # fmt: skip


@given(sides, sides, st.sampled_from(NAMES))
def test_no_smaller_set_would_do(good: Distributions, bad: Distributions, name: str) -> None:
    planned = plan(good, bad, [name], KNOWN)
    before = broken(bad) | broken(good)
    others = [one for one in planned.moved if one != name]
    for size in range(len(others)):
        for chosen in combinations(others, size):
            moved = {name, *chosen}
            after = {one: found for one in {*good, *bad} if (found := (good if one in moved else bad).get(one))}
            assert broken(after) - before


def test_an_extra_counts_where_it_is_asked_for() -> None:
    extra = "h2>=4; extra == 'http2'"
    plain = {"httpx": Installed("0.27", (extra,)), "app": Installed("1", ("httpx",))}
    asked = {"httpx": Installed("0.27", (extra,)), "app": Installed("1", ("httpx[http2]",))}
    assert list(lacks(plain, KNOWN)) == []
    assert [(one.owner, one.wanted) for one in lacks(asked, KNOWN)] == [("httpx", "h2>=4")]


def test_what_depends_on_what_is_not_known_is_no_lack() -> None:
    there = {"app": Installed("1", ("six; python_version < '3'", "not a requirement", "idna; os_name == 'nt'"))}
    assert list(lacks(there, Known("", "", "", ""))) == []
