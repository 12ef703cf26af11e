"""Starts a long-running program, waits until it answers, and ends exactly that one."""

import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

READY_WITHIN = 60.0
ENDED_WITHIN = 60.0
POLLED_EVERY = 0.05
SHOWN_OF_LOG = 4000

Command = Sequence[str | Path]


class NotReadyError(Exception):
    """A daemon ended or stayed silent instead of answering; the message has the end of its log."""


def start(command: Command, log: Path) -> subprocess.Popen[bytes]:
    """Start the program in a session of its own, so that Ctrl-C reaches pytest alone and tear-down stays orderly."""
    with log.open("ab") as output:
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )


def end(process: subprocess.Popen[bytes]) -> None:
    """Ask the process to end and wait for it; kill it only if it does not."""
    process.terminate()
    try:
        process.wait(ENDED_WITHIN)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextmanager
def running(command: Command, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run the program for as long as the context lasts."""
    process = start(command, log)
    try:
        yield process
    finally:
        end(process)


def wait_until_ready(name: str, process: subprocess.Popen[bytes], log: Path, ready: Callable[[], bool]) -> None:
    """Ask again and again until the daemon answers, it ends, or its time is over."""
    deadline = time.monotonic() + READY_WITHIN
    while not ready():
        if process.poll() is not None:
            raise NotReadyError(f"{name} ended with {process.returncode}\n{tail(log)}")
        if time.monotonic() > deadline:
            raise NotReadyError(f"{name} did not answer within {READY_WITHIN:.0f} s\n{tail(log)}")
        time.sleep(POLLED_EVERY)


def tail(log: Path) -> str:
    """Return the end of a log."""
    return log.read_text(errors="replace")[-SHOWN_OF_LOG:]
