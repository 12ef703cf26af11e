"""Tests of values that are told in clear, by a keyed hash, or not at all."""

import pytest

from envparity_agent.fingerprint import Attributes, Reason, Section, Status
from envparity_server.compare.differences import compare
from envparity_server.compare.groups import wording
from envparity_server.compare.model import Difference, Severity, State
from envparity_server.drift.severity import severity
from envparity_server.gating.model import Verdict
from tests.server.gating.asking import gated
from tests.server.making import host, section

CLEAR: Attributes = {"value": "UTC"}
HASHED: Attributes = {"hmac": "a" * 64, "key": "k1"}
OTHER_HASH: Attributes = {"hmac": "b" * 64, "key": "k1"}
OTHER_KEY: Attributes = {"hmac": "a" * 64, "key": "k2"}
HIDDEN: Attributes = {"hidden": True}


def service(items: dict[str, Attributes], *more: str, kind: str = "configuration") -> Section:
    """A service, or a file, whose section says that values are not told where that is so."""
    untold = (Reason.NO_KEY,) if any("hidden" in body for body in items.values()) else ()
    reasons = (*more, *untold)
    return section("service/shop", items, Status.PARTIAL if reasons else Status.OK, *reasons, kind=kind)


def found(left: Attributes, right: Attributes, item: str = "env:A", kind: str = "configuration") -> list[Difference]:
    """The differences of an item, the one of the whole section left out."""
    one, other = (host(service({item: body}, kind=kind)) for body in (left, right))
    return [found for found in compare(one, other).differences if found.item]


@pytest.mark.parametrize(
    ("left", "right", "state", "words"),
    [
        (CLEAR, {"value": "CET"}, State.CHANGED, "UTC → CET"),
        (HASHED, OTHER_HASH, State.CHANGED, "other value"),
        (HASHED, OTHER_KEY, State.INCOMPARABLE, "not comparable: the two sides have unlike keys"),
        (CLEAR, HASHED, State.INCOMPARABLE, "not comparable: one side tells the value, the other its keyed hash"),
        (CLEAR, HIDDEN, State.UNKNOWN, "unknown: the value is not told, as an agent has no key"),
        (HASHED, HIDDEN, State.UNKNOWN, "unknown: the value is not told, as an agent has no key"),
        (HIDDEN, HIDDEN, State.UNKNOWN, "unknown: the value is not told, as an agent has no key"),
    ],
)
@pytest.mark.parametrize("kind", ["configuration", "file"])
def test_values_are_compared_as_far_as_they_are_told(
    left: Attributes, right: Attributes, state: State, words: str, kind: str
) -> None:
    for sides in ((left, right), (right, left)):
        (one,) = found(*sides, kind=kind)
        assert (one.item, one.attribute, one.state) == ("env:A", "value", state)
        assert not {"a" * 64, "b" * 64} & {one.left, one.right}
    assert wording(found(left, right)[0]) == words


@pytest.mark.parametrize("told", [CLEAR, HASHED, {"exposed": True}])
def test_equal_values_are_the_same(told: Attributes) -> None:
    same = compare(host(service({"env:A": told, "env:B": CLEAR})), host(service({"env:A": told, "env:B": HASHED})))
    assert (same.same, [one.item for one in same.differences]) == (1, ["env:B"])


def test_two_hidden_values_are_never_the_same() -> None:
    both = service({"env:A": HIDDEN, "env:TZ": CLEAR})
    compared = compare(host(both), host(both))
    assert [(one.item, one.state) for one in compared.differences] == [
        ("", State.UNKNOWN),
        ("env:A", State.UNKNOWN),
    ]
    assert compared.same == 1
    assert [gap.why for gap in compared.unexamined] == ["left: partial(no-key) and right: partial(no-key)"]
    assert gated(host(both), host(both)).verdict == Verdict.UNKNOWN


def test_a_section_that_lacks_only_values_lists_all_its_items() -> None:
    hidden = service({"env:A": HIDDEN})
    more = service({"env:A": HASHED, "env:B": HASHED})
    states = {one.item: one.state for one in compare(host(hidden), host(more)).differences}
    assert states == {"": State.UNKNOWN, "env:A": State.UNKNOWN, "env:B": State.ONLY_RIGHT}
    cut = service({"env:A": HIDDEN}, Reason.CAP)
    states = {one.item: one.state for one in compare(host(cut), host(more)).differences}
    assert states["env:B"] == State.UNKNOWN


def test_a_command_differs_in_the_words_that_are_told_or_in_the_others() -> None:
    one = {"command": "/bin/a --token …", **HASHED}
    assert [(x.attribute, wording(x)) for x in found(one, {**one, **OTHER_HASH}, "command")] == [
        ("value", "other value")
    ]
    told = found(one, {"command": "/bin/a"}, "command")
    assert [(x.attribute, x.state, wording(x)) for x in told] == [
        ("command", State.CHANGED, "/bin/a --token … → /bin/a")
    ]
    hidden = {"command": "/bin/a --token …", **HIDDEN}
    assert [(x.attribute, x.state) for x in found(one, hidden, "command")] == [("value", State.UNKNOWN)]


def test_other_attributes_change_beside_the_value() -> None:
    left = {"mode": "0600", "format": "whole", **HASHED}
    right = {"mode": "0644", "format": "whole", **OTHER_HASH}
    assert [(one.attribute, one.left, one.right) for one in found(left, right, "@file", "file")] == [
        ("mode", "0600", "0644"),
        ("value", None, None),
    ]


def test_a_service_that_only_one_host_has_is_a_difference_where_the_other_lists_its_services() -> None:
    listing = section("services", kind="configuration")
    one = host(listing, service({"env:A": CLEAR}))
    assert [x.state for x in compare(one, host(listing)).differences] == [State.ONLY_LEFT]
    blind = section("services", {}, Status.ABSENT, Reason.CONSENT, kind="configuration")
    assert {x.state for x in compare(one, host(blind)).differences} == {State.UNKNOWN}


@pytest.mark.parametrize(
    ("item", "rating"),
    [
        ("env:A", Severity.MEDIUM), ("command", Severity.HIGH), ("command#2", Severity.HIGH),
        ("entrypoint", Severity.HIGH), ("user", Severity.HIGH), ("port:80/tcp", Severity.MEDIUM),
        ("mount:/data", Severity.MEDIUM), ("limit:nofile", Severity.LOW), ("restart", Severity.LOW),
        ("label:role", Severity.INFO), ("", Severity.MEDIUM),
    ],
)  # fmt: skip
def test_what_a_service_does_matters_more_than_its_limits(item: str, rating: Severity) -> None:
    assert severity(Difference("service/shop", "configuration", item, "value", State.CHANGED)) == rating


def test_the_value_of_a_key_matters_more_than_the_permissions_of_the_file() -> None:
    changed = [Difference("config/x", "file", "a", name, State.CHANGED) for name in ("value", "mode")]
    assert [severity(one) for one in changed] == [Severity.MEDIUM, Severity.LOW]
