"""Waits for what another thread or process does; a test fails only where it never happens."""

import threading
import time
from collections.abc import Callable

LONGEST = 60.0
_POLLED_EVERY = 0.01


def until(ready: Callable[[], object]) -> None:
    """Ask until something is the case."""
    deadline = time.monotonic() + LONGEST
    while not ready():
        assert time.monotonic() < deadline, "it never happened"
        threading.Event().wait(_POLLED_EVERY)
