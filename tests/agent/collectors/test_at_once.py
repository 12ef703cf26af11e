"""Checks that calls are spread over processes, and that each is answered whatever becomes of those."""

import os
import signal
from collections.abc import Callable
from functools import partial
from multiprocessing import active_children

import pytest

from envparity_agent.collectors.at_once import MIN_CALLS, at_once

PROCESSORS = 3


@pytest.fixture(autouse=True)
def processors(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many as the tests count on, whatever the machine has."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(PROCESSORS)))


def double(number: int) -> int:
    return 2 * number


@pytest.mark.parametrize("count", [0, 1, MIN_CALLS - 1, MIN_CALLS, MIN_CALLS + 1, 100])
def test_answers_come_in_the_order_of_the_calls(count: int) -> None:
    assert at_once([partial(double, number) for number in range(count)]) == [2 * number for number in range(count)]


def test_many_calls_use_every_processor_and_few_only_this_process() -> None:
    assert len(set(at_once([os.getpid] * MIN_CALLS))) == PROCESSORS
    assert set(at_once([os.getpid] * (MIN_CALLS - 1))) == {os.getpid()}


def test_what_a_process_that_was_ended_did_not_answer_is_called_again() -> None:
    here = os.getpid()

    def fragile(number: int) -> int:
        if os.getpid() != here and number == MIN_CALLS - 1:
            os.kill(os.getpid(), signal.SIGKILL)
        return number

    calls: list[Callable[[], int]] = [partial(fragile, number) for number in range(MIN_CALLS)]
    assert at_once(calls) == list(range(MIN_CALLS))


def test_an_error_is_raised_to_whoever_asked(capfd: pytest.CaptureFixture[str]) -> None:
    def fails() -> int:
        raise ValueError("not that")

    calls: list[Callable[[], int]] = [*[partial(double, 1)] * MIN_CALLS, *[fails] * PROCESSORS]
    with pytest.raises(ValueError, match="not that"):
        at_once(calls)
    assert capfd.readouterr().err == ""


def test_no_process_is_left_where_a_call_raises_while_others_wait_to_answer() -> None:
    here = os.getpid()

    def answers() -> bytes:
        if os.getpid() == here:
            raise ValueError("not that")
        return bytes(1_000_000)  # more than a pipe holds

    with pytest.raises(ValueError, match="not that"):
        at_once([answers] * MIN_CALLS)
    assert active_children() == []


def test_large_answers_come_whole_and_leave_no_process() -> None:
    assert at_once([lambda: bytes(1_000_000)] * MIN_CALLS) == [bytes(1_000_000)] * MIN_CALLS
    assert active_children() == []


def test_where_no_process_may_start_this_one_makes_every_call(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused() -> int:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(os, "fork", refused)
    assert at_once([os.getpid] * MIN_CALLS) == [os.getpid()] * MIN_CALLS


def test_a_process_ends_when_whoever_asked_is_gone() -> None:
    reader, writer = os.pipe()
    asking = os.fork()
    if asking == 0:
        here = os.getpid()

        def answers() -> bytes:
            if os.getpid() == here:
                os.kill(here, signal.SIGKILL)
            return bytes(1_000_000)

        at_once([answers] * MIN_CALLS)
    os.close(writer)
    os.waitpid(asking, 0)
    assert os.read(reader, 1) == b""  # nobody holds the other end any more
    os.close(reader)
