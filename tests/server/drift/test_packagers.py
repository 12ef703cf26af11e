"""Tests of who changed an OS package: what the logs that an agent sends name, and nothing that they do not."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envparity_agent.collectors.system.transaction import Change
from envparity_agent.collectors.system.transaction import Transaction as Logged
from envparity_server.drift.packagers import actor, transactions

AFTER, BEFORE = datetime(2026, 11, 1, 2, tzinfo=UTC), datetime(2026, 11, 1, 8, tzinfo=UTC)
WITHIN, EARLIER = "2026-11-01 03:00:00", "2026-10-01 03:00:00"
UPGRADED = Logged(WITHIN, "apt upgrade", "ada (1000)", (Change("curl", "8.1", "8.2"), Change("zlib1g", "1.2", "1.3")))
MANY = Logged(WITHIN, "apt upgrade", "ada (1000)", tuple(Change(f"package-{n}", "1", "2") for n in range(100)))


def made(package: str, left: str | None, right: str | None, *logged: Logged) -> str | None:
    told = transactions({one.began: str(one) for one in logged})
    return actor(told, package, left, right, AFTER, BEFORE)


def test_the_transaction_that_names_the_package_and_its_version_made_the_change() -> None:
    assert made("curl", "8.1", "8.2", UPGRADED) == made("curl:amd64", "8.1", "8.2", UPGRADED) == "apt upgrade (by ada)"
    assert made("zlib1g", "1.2", "1.3", UPGRADED) == "apt upgrade (by ada)"
    assert (
        made("nano", "7", None, Logged(EARLIER, "apt-get remove", "", (Change("nano", old="7"),))) == "apt-get remove"
    )
    assert made("vim", None, "9", Logged(WITHIN, "dnf install", "user 1000", (Change("vim", new="9"),))) == (
        "dnf install (by user 1000)"
    )


def test_another_version_or_package_is_not_of_that_transaction() -> None:
    assert made("curl", "8.2", "8.3", UPGRADED) is None
    assert made("libcurl", "8.1", "8.2", UPGRADED) is None


def test_the_newest_of_two_that_made_the_same_version_counts() -> None:
    earlier = Logged(EARLIER, "dpkg", "eve", (Change("curl", "8.0", "8.2"),))
    assert made("curl", "8.1", "8.2", earlier, UPGRADED) == "apt upgrade (by ada)"


def test_a_transaction_between_the_reports_that_has_more_than_it_names_made_it() -> None:
    assert made("package-99", "1", "2", MANY) == "apt upgrade (by ada)"
    assert made("curl", "8.2", "8.3", Logged(EARLIER, MANY.command, MANY.user, MANY.changes)) is None


def test_without_a_command_and_a_person_nobody_is_named() -> None:
    assert made("curl", "8.1", "8.2", Logged(WITHIN, "", "", UPGRADED.changes)) is None
    assert made("curl", "8.1", "8.2", Logged(WITHIN, "", "ada", UPGRADED.changes)) == "a package manager (by ada)"


@pytest.mark.parametrize(
    "what", ["<b>x</b>: curl 8.1 -> 8.2", "a\0b: curl 8.1 -> 8.2", "x" * 500 + ": curl 8.1 -> 8.2"]
)
def test_what_no_agent_writes_names_nobody(what: str) -> None:
    assert actor(transactions({WITHIN: what}), "curl", "8.1", "8.2", AFTER, BEFORE) is None


@given(st.dictionaries(st.text(max_size=30), st.text(max_size=60) | st.integers() | st.none(), max_size=4), st.text())
def test_whatever_a_host_sends_is_read(observed: dict[str, str | int | None], package: str) -> None:
    actor(transactions(observed), package, None, "1", AFTER, BEFORE + timedelta(days=9000 * 365 // 400))
