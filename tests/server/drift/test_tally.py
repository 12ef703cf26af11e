"""Tests of counting who has what, against counting it naively."""

from collections import Counter
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from envparity_agent.canonical import canonical
from envparity_agent.fingerprint import SPLIT, Attributes, Fingerprint, Section, SectionLike, Target
from envparity_server.drift.majority import majority
from envparity_server.drift.shares import Share, shares
from envparity_server.drift.tally import share
from tests.server.making import NOON, host, section

NAMES = [f"p{number}" for number in range(70)]  # more than one page holds

bodies: st.SearchStrategy[Attributes] = st.builds(
    lambda version, label: {"version": version, **({"source": label} if label else {})},
    st.sampled_from(["1", "2", "3"]),
    st.sampled_from(["", "a", "b"]),  # kept for people: no part of a vote
)


@st.composite
def fleets(draw: st.DrawFn) -> list[Fingerprint]:
    """Hosts whose packages are mostly the same, some with more than a page of them."""
    common = {name: {"version": "1"} for name in draw(st.sampled_from([NAMES, NAMES[:5], NAMES[:65]]))}
    votes = []
    for _ in range(draw(st.integers(1, 7))):
        items: dict[str, Attributes] = dict(common)
        for name in draw(st.lists(st.sampled_from(NAMES[:6]), unique=True, max_size=3)):
            if draw(st.booleans()):
                items[name] = draw(bodies)
            else:
                items.pop(name, None)
        votes.append(host(section("os-packages", items)))
    return votes


def counted(votes: Sequence[Fingerprint], item: str) -> Counter[bytes]:
    """How many hosts have each value, said the long way."""
    found = (one.sections["os-packages"].items.get(item) for one in votes)
    return Counter(canonical(body and {"version": body["version"]}) for body in found)


def asked(votes: Sequence[Fingerprint], everything: bool = False) -> dict[str, Share]:
    """The shares of all hosts by item."""
    found = shares({str(number): one for number, one in enumerate(votes)}, everything=everything)
    return {one.item: one for one in found.shares}


@given(fleets())
def test_each_value_has_as_many_hosts_as_have_it(votes: list[Fingerprint]) -> None:
    for item, one in asked(votes, everything=True).items():
        assert sorted(len(stand.hosts) for stand in one.stands) == sorted(counted(votes, item).values())
        assert one.is_split == (2 * max(counted(votes, item).values()) <= len(votes))
        assert sorted(id for stand in one.stands for id in stand.hosts) == sorted(map(str, range(len(votes))))
        assert len({stand.value for stand in one.stands}) == len(one.stands)


@given(fleets())
def test_what_is_told_and_what_all_agree_on_is_all_there_is(votes: list[Fingerprint]) -> None:
    found = shares({str(number): one for number, one in enumerate(votes)})
    items = {item for one in votes for item in one.sections["os-packages"].items}
    unlike = {item for item in items if len(counted(votes, item)) > 1}
    assert ({one.item for one in found.shares}, found.agreed) == (unlike, len(items) - len(unlike))


@given(fleets())
def test_the_shares_and_the_majority_say_the_same(votes: list[Fingerprint]) -> None:
    agreed = majority(Target("environment", "env:prod"), NOON.isoformat(), votes).sections["os-packages"].items
    for item, one in asked(votes, everything=True).items() if len(votes) > 1 else ():
        assert (SPLIT in agreed.get(item, {})) == one.is_split
        if not one.is_split:
            assert one.stands[0].value == (str(agreed[item]["version"]) if item in agreed else "not there")


@given(fleets(), st.sampled_from(NAMES[:6]))
def test_the_share_of_one_item_is_that_of_the_commonest_value(votes: list[Fingerprint], item: str) -> None:
    sections = [(number, one.sections["os-packages"]) for number, one in enumerate(votes)]
    assert share(sections, item) == (max(counted(votes, item).values()), len(votes))


class _Unopened(Section):
    """A section whose pages nobody may open."""

    def page(self, position: int) -> Attributes:  # type: ignore[override]  # it never answers
        raise AssertionError(f"page {position} was opened")


def test_pages_that_all_share_are_never_opened() -> None:
    items = {name: {"version": "1"} for name in NAMES}
    votes = {str(number): host(_Unopened("os-packages", "os-packages", 1, items)) for number in range(3)}
    assert (shares(votes).agreed, shares(votes).shares) == (70, ())


def test_only_pages_that_differ_are_opened() -> None:
    opened: set[int] = set()

    class Watched(Section):
        def page(self, position: int) -> dict[str, Attributes]:
            opened.add(position)
            return dict(super().page(position))

    def running(version: str) -> Fingerprint:
        items = {name: {"version": "1"} for name in NAMES} | {"p0": {"version": version}}
        return host(Watched("os-packages", "os-packages", 1, items))

    found = shares({"a": running("1"), "b": running("2"), "c": running("1")})
    assert len(opened) == 1
    assert ([one.item for one in found.shares], found.agreed) == (["p0"], 69)


def test_values_that_only_differ_beside_the_version_are_told_apart() -> None:
    def running(content: str) -> SectionLike:
        return section("os-packages", {"a": {"version": "1", "content": content}}, schema=2)

    votes = {name: host(running(content)) for name, content in (("x", "c1"), ("y", "c1"), ("z", "c2"))}  # type: ignore[arg-type]  # a Section is one
    (one,) = shares(votes).shares
    assert [stand.value for stand in one.stands] == ["content c1, version 1", "content c2, version 1"]
