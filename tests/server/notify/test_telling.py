"""Tests of the words: short, one line each, and inert wherever they land."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envparity_server.compare.model import Difference, Distance, Severity, State
from envparity_server.notify.interface import Notification
from envparity_server.notify.telling import MOST_ITEMS, inert, told, trial
from envparity_server.storage.causes import Cause, Place

HOSTILE = [
    "x\nEvil: y", "\x1b[31mred\x1b[0m", "@here", "@channel", "a@everyone", "<!here>", "<img src=x onerror=alert(1)>",
    "[click](javascript:alert(1))", "https://evil.example", "```", "\u202ereversed", "\0", "<@U024BE7LH>", "a\r\nb",
]  # fmt: skip


def place(host: str = "web-1", item: str = "openssl", left: str = "3.0.11") -> Place:
    difference = Difference(
        "os-packages", "os-packages", item, "version", State.CHANGED, left, "3.0.15", Distance.PATCH, Severity.HIGH
    )
    return Place(host, {}, difference)


def cause(*places: Place, actor: str | None = None, moved: str = "host") -> Cause:
    return Cause("aa", "env:prod", "prod", "baseline:may", "os-packages", Severity.HIGH, moved, actor, 0, places)


def test_one_difference_on_one_host() -> None:
    notification = told(cause(place()), "new", "https://envparity.example/")
    assert notification.title == "high: openssl of os-packages on web-1 (env:prod)"
    assert notification.words == "web-1 (env:prod) differs from baseline:may: the hosts changed, actor unknown."
    assert notification.link == "https://envparity.example/drifts/aa"
    assert notification.text() == (
        "web-1 (env:prod) differs from baseline:may: the hosts changed, actor unknown.\n\n"
        "- web-1: os-packages openssl: 3.0.11 → 3.0.15 (high)\n\n"
        "https://envparity.example/drifts/aa"
    )


def test_many_are_counted_and_the_first_are_listed() -> None:
    places = [place(f"web-{number}", item) for number in range(30) for item in ("a", "b", "c", "d")]
    notification = told(cause(*places, actor="apt: ada"), "regressed", "")
    assert notification.title == "high, again: a, b, c and 1 more of os-packages on 30 hosts of env:prod"
    assert "by apt: ada" in notification.words
    assert (len(notification.items), notification.more) == (MOST_ITEMS, 100)
    assert notification.text().endswith("and 100 more")


def test_the_end_names_what_ended() -> None:
    notification = told(cause(place()), "resolved", "")
    assert notification.title == "resolved: openssl of os-packages on web-1 (env:prod)"
    assert (notification.items, notification.more) == ((), 0)
    assert told(cause(place()), "stale", "").title.startswith("stale: ")


def test_who_moved_is_said_only_where_it_is_known() -> None:
    assert "the reference changed" in told(cause(place(), moved="reference"), "new", "").words
    assert told(cause(place(), moved="unknown"), "new", "").words == "web-1 (env:prod) differs from baseline:may."


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_inert_in_every_field(text: str) -> None:
    notification = told(cause(place(text, text, text), actor=text), "new", "")
    for shown in (notification.title, notification.words, *vars(notification.items[0]).values()):
        _assert_inert(shown)


@given(st.text(alphabet=st.one_of(st.characters(), st.sampled_from("@<>[]()`\n\x1b:/herevyonchal"))))
def test_any_text_is_inert(text: str) -> None:
    _assert_inert(inert(text))


def _assert_inert(shown: str) -> None:
    assert all(char.isprintable() or char == "\u200b" for char in shown)
    assert not re.search(r"[<>`]|\]\(|://|@(here|everyone|channel|all)", shown, re.IGNORECASE)
    assert len(shown) <= 300


@pytest.mark.parametrize("name", ["typing_extensions", "libc6:amd64", "shop@sha256:0a1b", "c++", "os-packages#x", "é"])
def test_usual_names_are_told_as_they_are(name: str) -> None:
    assert inert(name) == name


def test_a_notification_comes_back_as_it_was_stored() -> None:
    for notification in (told(cause(place()), "new", "https://e.example"), trial("ops", "")):
        assert Notification.of(notification.document()) == notification
