"""Tests of who is told: by environment, labels and severity."""

from typing import Any

import pytest

from envparity_agent.errors import UsageError
from envparity_server.compare.model import Severity
from envparity_server.notify.routing import channel_selector, receivers
from envparity_server.storage.causes import Cause
from tests.server.making import NOON
from tests.server.notify.drifting import channel
from tests.server.notify.test_telling import cause, place


def told(drift: Cause, event: str = "new", before: tuple[str, ...] = (), **changed: Any) -> bool:
    return bool(receivers([channel(**changed)], drift, event, before, NOON))


def of(environment: str = "prod", group: str = "env:prod", labels: dict[str, str] | None = None) -> Cause:
    one = place()
    places = (one.__class__(one.host, labels or {}, one.difference),)
    return Cause("aa", group, environment, "os-packages", Severity.HIGH, "words", 0, places)


@pytest.mark.parametrize(
    ("hosts", "is_told"),
    [
        ("", True),
        ("env:prod", True),
        ("env:*", True),
        ("role=web", False),
        ("env:dev", False),
        ("env:pro", False),
        ("env:prod,team=pay", False),
    ],
)
def test_a_channel_is_told_of_its_environment(hosts: str, is_told: bool) -> None:
    assert told(of(), hosts=hosts) is is_told


def test_a_channel_with_labels_is_told_where_a_host_or_the_group_has_them() -> None:
    assert told(of(labels={"team": "pay", "role": "web"}), hosts="env:prod,team=pay")
    assert told(of(group="env:prod,role=web"), hosts="env:prod,role=web")
    assert told(of(labels={"role": "web"}), hosts="role=web")
    assert not told(of(labels={"team": "pay"}), hosts="env:prod,team=pay,role=db")


@pytest.mark.parametrize(("severity", "is_told"), [(Severity.HIGH, True), (Severity.CRITICAL, False)])
def test_a_channel_is_told_from_its_severity_on(severity: Severity, is_told: bool) -> None:
    assert told(cause(place()), severity=severity) is is_told


def test_the_end_is_told_where_the_beginning_was_and_nowhere_else() -> None:
    assert told(of(), "resolved", ("ops",), severity=Severity.CRITICAL)
    assert not told(of(), "resolved", ("others",))


def test_a_disabled_channel_is_told_nothing() -> None:
    assert not told(of(), enabled=False)
    assert not told(of(), "resolved", ("ops",), enabled=False)


@pytest.mark.parametrize(
    "text", ["host:web-1", "env:prod@yesterday", "env:prod#os", "prod", "env:", "env:prod,role", "baseline:x"]
)
def test_a_channel_is_for_hosts_of_an_environment(text: str) -> None:
    with pytest.raises(UsageError):
        channel_selector(text, NOON)
