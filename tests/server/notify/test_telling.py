"""Tests of the words: short, one line each, and inert wherever they land."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envparity_agent.fingerprint import Value
from envparity_server.compare.model import Difference, Distance, Severity, State
from envparity_server.notify.interface import Notification
from envparity_server.notify.telling import MOST_ITEMS, inert, told, trial
from envparity_server.storage.causes import Cause, Place
from tests.server.notify.drifting import WORDS

HOSTILE = [
    "x\nEvil: y", "\x1b[31mred\x1b[0m", "@here", "@channel", "a@everyone", "<!here>", "<img src=x onerror=alert(1)>",
    "[click](javascript:alert(1))", "https://evil.example", "```", "\u202ereversed", "\0", "<@U024BE7LH>", "a\r\nb",
]  # fmt: skip


def place(host: str = "web-1", item: str = "openssl", left: str = "3.0.11") -> Place:
    difference = Difference(
        "os-packages", "os-packages", item, "version", State.CHANGED, left, "3.0.15", Distance.PATCH, Severity.HIGH
    )
    return Place(host, {}, difference)


def cause(*places: Place, words: str = WORDS) -> Cause:
    return Cause("aa", "env:prod", "prod", "os-packages", Severity.HIGH, words, 0, places)


def test_one_difference_on_one_host() -> None:
    notification = told(cause(place()), "new", "https://envparity.example/")
    assert notification.title == "high: openssl of os-packages on web-1 (env:prod)"
    assert notification.words == WORDS
    assert notification.link == "https://envparity.example/drifts/aa"
    assert notification.text() == (
        f"{WORDS}\n\n- web-1: os-packages openssl: 3.0.11, not 3.0.15 (high)\n\nhttps://envparity.example/drifts/aa"
    )


def test_many_are_counted_and_the_first_are_listed() -> None:
    places = [place(f"web-{number}", item) for number in range(30) for item in ("a", "b", "c", "d")]
    notification = told(cause(*places), "regressed", "")
    assert notification.title == "high, again: a, b, c and 1 more of os-packages on 30 hosts of env:prod"
    assert (len(notification.items), notification.more) == (MOST_ITEMS, 100)
    assert notification.text().endswith("and 100 more")


def test_the_end_names_what_ended() -> None:
    notification = told(cause(place()), "resolved", "")
    assert notification.title == "resolved: openssl of os-packages on web-1 (env:prod)"
    assert notification.words == f"No longer: {WORDS}"
    assert (notification.items, notification.more) == ((), 0)
    many = told(cause(place("web-1"), place("web-2")), "resolved", "")
    assert many.title == "resolved: openssl of os-packages on hosts of env:prod"  # told of one, seen on two


def test_hosts_that_fell_silent_are_told_as_such() -> None:
    silent = [Place(f"web-{number}", {}, None) for number in range(2)]
    notification = told(cause(*silent, words="2 of 40 hosts of prod stopped reporting"), "new", "")
    assert notification.title == "high: no reports on 2 hosts of env:prod"
    assert "- web-1: reports none: the host is silent (high)" in notification.text()


@pytest.mark.parametrize(
    ("attribute", "state", "left", "right", "said"),
    [
        ("version", State.ONLY_LEFT, "3.0", None, "3.0, and none in the reference"),
        ("version", State.ONLY_RIGHT, None, "3.0", "not there; the reference has 3.0"),
        ("content", State.CHANGED, f"sha256:{'a' * 64}", None, f"content {'a' * 60}…, not none"),
        ("flags", State.CHANGED, ("a", "b"), True, "flags a, b, not true"),
        ("change", State.ONLY_LEFT, "modified", None, "modified"),
        ("change", State.ONLY_RIGHT, None, "added", "not added"),
        ("value", State.CHANGED, None, None, "other value"),
        ("version", State.UNKNOWN, None, None, "unknown"),
    ],
)
def test_a_difference_is_told_from_where_the_host_stands(
    attribute: str, state: State, left: Value, right: Value, said: str
) -> None:
    kind = "configuration" if attribute == "value" else "os-packages"
    one = Difference("x", kind, "item", attribute, state, left, right)
    assert told(cause(Place("web-1", {}, one)), "new", "").items[0].words == said


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_inert_in_every_field(text: str) -> None:
    notification = told(cause(place(text, text, text), words=text), "new", "")
    for shown in (notification.title, notification.words, *vars(notification.items[0]).values()):
        _assert_inert(shown)


@given(st.text(alphabet=st.one_of(st.characters(), st.sampled_from("@<>[]()`\n\x1b:/herevyonchal"))))
def test_any_text_is_inert(text: str) -> None:
    _assert_inert(inert(text))


def _assert_inert(shown: str) -> None:
    assert all(char.isprintable() or char == "\u200b" for char in shown)
    assert not re.search(r"[<`]|\]\(|://|@(here|everyone|channel|all)", shown, re.IGNORECASE)
    assert len(shown) <= 600


@pytest.mark.parametrize("name", ["typing_extensions", "libc6:amd64", "shop@sha256:0a1b", "c++", "os-packages#x", "é"])
def test_usual_names_are_told_as_they_are(name: str) -> None:
    assert inert(name) == name


def test_a_notification_comes_back_as_it_was_stored() -> None:
    for notification in (told(cause(place()), "new", "https://e.example"), trial("ops", "")):
        assert Notification.of(notification.document()) == notification
