"""Tests of the limit on logins that fail: by address and by account, within a window, in bounded memory."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envparity_server.api.attempts import (
    MOST_BY_ACCOUNT,
    MOST_BY_ADDRESS,
    WINDOW,
    Attempts,
    LoginAttempts,
    network,
)
from envparity_server.api.problems import Problem
from tests.server.making import NOON


def refused(attempts: LoginAttempts, address: str, account: str, passed: timedelta = timedelta(0)) -> bool:
    """Whether a login is not even tried."""
    try:
        attempts.check(address, account, NOON + passed)
    except Problem as problem:
        return problem.status == 429
    return False


def test_an_account_is_guessed_at_so_often_from_wherever() -> None:
    attempts = LoginAttempts()
    for number in range(MOST_BY_ACCOUNT):
        assert not refused(attempts, f"192.0.2.{number}", "ada")
        attempts.fail(f"192.0.2.{number}", "ada", NOON)
    assert refused(attempts, "198.51.100.1", "ada")
    assert not refused(attempts, "198.51.100.1", "bob")


def test_an_address_guesses_so_often_at_whomever() -> None:
    attempts = LoginAttempts()
    for number in range(MOST_BY_ADDRESS):
        assert not refused(attempts, "192.0.2.1", f"person-{number}")
        attempts.fail("192.0.2.1", f"person-{number}", NOON)
    assert refused(attempts, "192.0.2.1", "ada")
    assert not refused(attempts, "192.0.2.2", "ada")


@pytest.mark.parametrize(("passed", "still"), [(WINDOW - timedelta(seconds=1), True), (WINDOW, False)])
def test_after_the_window_it_is_tried_again(passed: timedelta, still: bool) -> None:
    attempts = LoginAttempts()
    for _ in range(MOST_BY_ACCOUNT):
        attempts.fail("192.0.2.1", "ada", NOON)
    assert refused(attempts, "192.0.2.1", "ada", passed) is still
    attempts.fail("192.0.2.1", "ada", NOON + WINDOW)
    assert not refused(attempts, "192.0.2.1", "ada", WINDOW)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
        ("", "", True),
        ("a socket", "another", False),
    ],
)
def test_who_has_a_network_of_ipv6_has_one_address(one: str, other: str, same: bool) -> None:
    assert (network(one) == network(other)) is same


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 100)), max_size=200))
def test_memory_is_bounded_and_the_last_failure_is_never_forgotten(failures: list[tuple[int, int]]) -> None:
    attempts = Attempts(most=1, most_keys=5)
    for key, seconds in failures:
        moment = NOON + timedelta(seconds=seconds)
        attempts.fail(str(key), moment)
        assert attempts.are_too_many(str(key), moment)
        assert len(attempts._failed) <= 5
