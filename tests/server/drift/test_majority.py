"""Tests of what most hosts agree on."""

from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envparity_agent.canonical import canonical, decode
from envparity_agent.documents import from_document
from envparity_agent.fingerprint import (
    MAX_STRING,
    SPLIT,
    Attributes,
    Fingerprint,
    FingerprintLike,
    Reason,
    Section,
    Status,
    Target,
)
from envparity_server.compare.model import State
from envparity_server.drift.majority import majority
from envparity_server.gating.model import Verdict
from tests.server.gating.asking import gated
from tests.server.making import ENGINE, NOON, SEARCHED, host, packages, section, states

PROD = Target("environment", "env:prod")
SHOP = "python/srv/shop"


def agreed(*votes: FingerprintLike) -> FingerprintLike:
    """What these hosts agree on."""
    return majority(PROD, NOON.isoformat(), votes)


def items(*votes: Fingerprint) -> dict[str, Attributes]:
    """The items of the one environment that these hosts agree on."""
    return dict(agreed(*votes).sections[SHOP].items)


def running(version: str | None) -> Fingerprint:
    """A host with a version of idna, or without it."""
    return host(SEARCHED, packages({"idna": version} if version else {}))


def test_the_majority_of_one_host_is_what_it_has() -> None:
    one = running("3.4")
    assert agreed(one).sections == one.sections


def test_more_than_half_of_the_hosts_decide() -> None:
    assert items(running("3.4"), running("3.7"), running("3.7")) == {"idna": {"version": "3.7"}}


def test_half_of_the_hosts_decide_nothing() -> None:
    found = items(running("3.4"), running("3.4"), running("3.7"), running("3.7"))
    assert found == {"idna": {SPLIT: ("3.4: 2 hosts", "3.7: 2 hosts")}}


def test_the_most_frequent_of_three_is_no_majority() -> None:
    found = items(running("1.0"), running("1.0"), running("2.0"), running("3.0"))
    assert found == {"idna": {SPLIT: ("1.0: 2 hosts", "2.0: 1 host", "3.0: 1 host")}}


def test_an_item_that_most_hosts_lack_is_not_there() -> None:
    assert items(running("3.4"), running(None), running(None)) == {}


def test_an_item_that_half_of_the_hosts_lack_is_split() -> None:
    assert items(running("3.4"), running(None)) == {"idna": {SPLIT: ("3.4: 1 host", "not there: 1 host")}}


@pytest.mark.parametrize("reason", [(Status.FAILED, Reason.PERMISSION), (Status.PARTIAL, Reason.CAP)])
def test_a_section_that_could_not_be_read_does_not_vote(reason: tuple[Status, Reason]) -> None:
    blind = host(SEARCHED, section(SHOP, {}, *reason))
    assert items(running("3.4"), blind, blind) == {"idna": {"version": "3.4"}}
    assert items(running("3.4"), running("3.4"), running("3.7"), blind, blind) == {"idna": {"version": "3.4"}}


def test_where_no_host_could_read_a_section_its_majority_is_unread() -> None:
    blind = host(section("os", {}, Status.FAILED, Reason.PERMISSION))
    (one,) = agreed(blind, blind).sections.values()
    assert (one.status, one.reasons, one.count) == (Status.FAILED, (Reason.PERMISSION,), 0)


def test_a_section_that_most_hosts_lack_is_not_there() -> None:
    assert set(agreed(running("3.4"), host(SEARCHED), host(SEARCHED)).sections) == {"python"}


def test_a_section_that_half_of_the_hosts_lack_is_unknown() -> None:
    reference = agreed(running("3.4"), host(SEARCHED))
    for subject in (running("3.4"), running("3.7"), host(SEARCHED)):
        assert set(states(subject, reference)) == {State.UNKNOWN}
        assert gated(subject, reference).verdict == Verdict.UNKNOWN


def test_hosts_that_are_known_to_have_no_engine_vote_for_that() -> None:
    without = host(section("containers", {}, Status.ABSENT, Reason.NOT_INSTALLED))
    reference = agreed(without, without, host(ENGINE))
    assert states(without, reference) == []
    assert states(host(ENGINE), reference) == [State.ONLY_LEFT]


@pytest.mark.parametrize("status", [(Status.FAILED, Reason.TIMEOUT), (Status.ABSENT, Reason.CONSENT)])
def test_hosts_whose_engine_could_not_be_asked_do_not_vote_on_containers(status: tuple[Status, Reason]) -> None:
    web = section("container/web", {"image": {"config": "sha256:a", "platform": "linux/amd64"}})
    blind = host(section("containers", {}, *status))
    reference = agreed(host(ENGINE, web), blind, blind)
    assert states(host(ENGINE, web), reference) == []


def test_what_is_kept_only_needs_no_majority() -> None:
    def installed_by(tool: str) -> Fingerprint:
        return host(SEARCHED, section(SHOP, {"idna": {"version": "3.7", "installer": tool}}))

    reference = agreed(installed_by("pip"), installed_by("uv"), installed_by("poetry"))
    assert states(installed_by("conda"), reference) == []


def test_what_the_hosts_have_is_told_in_a_valid_document() -> None:
    long = [host(section(SHOP, {"idna": {"version": f"{number}{'x' * (MAX_STRING - 1)}"}})) for number in range(2)]
    found = agreed(*long)
    assert isinstance(found, Fingerprint)
    assert from_document(decode(canonical(found.document()))).root == found.root


def test_unlike_values_are_told_unlike() -> None:
    def image(config: str) -> Fingerprint:
        return host(ENGINE, section("container/web", {"image": {"reference": "web:1", "config": config}}))

    (told,) = [one[SPLIT] for one in agreed(image("a"), image("b")).sections["container/web"].items.values()]
    assert isinstance(told, tuple)
    assert len(set(told)) == 2


VOTES = st.dictionaries(st.sampled_from("abc"), st.sampled_from(["1.0", "2.0", "3.0"]), max_size=3)
GOOD_OR_NOT = st.sampled_from([True, True, True, False])


@st.composite
def fleets(draw: st.DrawFn) -> list[Section | None]:
    """The section of each host of a small fleet; None where a host does not have it."""
    found: list[Section | None] = []
    for _ in range(draw(st.integers(2, 6))):
        is_good = draw(GOOD_OR_NOT)
        body = {name: {"version": version} for name, version in draw(VOTES).items()} if is_good else {}
        there = draw(st.sampled_from([True, True, True, False]))
        one = section(SHOP, body) if is_good else section(SHOP, {}, Status.FAILED, Reason.PERMISSION)
        found.append(one if there else None)
    return found


def brute_force(good: list[Section]) -> dict[str, Attributes]:
    """The majority of each item, by asking every host again for each."""
    expected: dict[str, Attributes] = {}
    for name in {name for one in good for name in one.items}:
        counted = Counter(str(one.items.get(name, {}).get("version", "not there")) for one in good)
        version, count = counted.most_common(1)[0]
        if 2 * count <= len(good):
            expected[name] = {
                SPLIT: tuple(sorted(f"{one}: {hosts} host{'s' if hosts > 1 else ''}" for one, hosts in counted.items()))
            }
        elif version != "not there":
            expected[name] = {"version": version}
    return expected


@given(fleets())
def test_the_majority_is_what_counting_every_host_gives(fleet: list[Section | None]) -> None:
    having = [one for one in fleet if one]
    reference = agreed(*(host(SEARCHED, one) if one else host(SEARCHED) for one in fleet))
    if 2 * len(having) < len(fleet):
        assert SHOP not in reference.sections
    if 2 * len(having) > len(fleet):
        good = [one for one in having if one.status == Status.OK]
        found = reference.sections[SHOP]
        assert found.status == (Status.OK if good else Status.FAILED)
        assert dict(found.items) == brute_force(good)


@given(fleets(), st.randoms(use_true_random=False))
def test_the_order_of_the_hosts_never_matters(fleet: list[Section | None], random: Random) -> None:
    votes = [host(SEARCHED, one) if one else host(SEARCHED) for one in fleet]
    again = list(votes)
    random.shuffle(again)
    assert {path: one.hash for path, one in agreed(*votes).sections.items()} == {
        path: one.hash for path, one in agreed(*again).sections.items()
    }
