"""Checks that a run that fails is told, that the next one comes all the same, and that a signal ends it."""

import subprocess
import sys

SCRIPT = """
import logging, os, signal
from envparity_agent.errors import CannotTell
from envparity_agent.schedule import run_forever

logging.basicConfig(level=logging.ERROR, format="%(message)s")
runs = []

def job():
    runs.append(1)
    print("run", len(runs), flush=True)
    if len(runs) == 1:
        raise CannotTell("the server is away", "it comes back")
    os.kill(os.getpid(), signal.{signal})

run_forever("host-1", 1, job)
print("ended")
"""


def ended_by(signal: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        (sys.executable, "-c", SCRIPT.replace("{signal}", signal)),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_a_run_that_fails_is_told_and_the_next_one_comes_until_a_signal_ends_it() -> None:
    ended = ended_by("SIGTERM")
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.split("\n")[:3] == ["run 1", "run 2", "ended"]
    assert "the server is away (it comes back)" in ended.stderr
