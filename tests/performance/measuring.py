"""Measures processor time side by side: ours and a peer's in turn, so that both see the same machine."""

import os
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

ROUNDS = 5

Work = Callable[[], float]  # does it once, and returns seconds of processor time


@dataclass(frozen=True)
class Figure:
    """One line of the table: what was measured, the figure, a peer's, and what is aimed for."""

    work: str
    ours: float
    unit: str
    peer: str = ""
    theirs: float | None = None
    aim: float | None = None  # of the ratio where there is a peer, else of the figure

    @property
    def reached(self) -> bool | None:
        """Whether the aim is reached; None where there is none."""
        if self.aim is None:
            return None
        return (self.ours / self.theirs if self.theirs else self.ours) <= self.aim


def in_process(work: Callable[[], object]) -> Work:
    """Processor time of a call in this process."""

    def once() -> float:
        started = time.process_time()
        work()
        return time.process_time() - started

    return once


def program(*command: str | Path) -> Work:
    """Processor time of a program and its children, from its start to its end; its output is not looked at."""

    def once() -> float:
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as started:
            _, status, used = os.wait4(started.pid, 0)
            started.returncode = os.waitstatus_to_exitcode(status)
        return used.ru_utime + used.ru_stime

    return once


def side_by_side(work: str, ours: Work, peer: str, theirs: Work, aim: float, rounds: int = ROUNDS) -> Figure:
    """The medians of both, in milliseconds; a first round of each warms the page cache and does not count."""
    pairs = [(ours(), theirs()) for _ in range(rounds + 1)][1:]
    return Figure(
        work, _milliseconds([one for one, _ in pairs]), "ms", peer, _milliseconds([two for _, two in pairs]), aim
    )


def alone(work: str, ours: Work, aim: float | None = None, rounds: int = ROUNDS) -> Figure:
    """The median of one work, in milliseconds."""
    return Figure(work, _milliseconds([ours() for _ in range(rounds + 1)][1:]), "ms", aim=aim)


def _milliseconds(seconds: Sequence[float]) -> float:
    return median(seconds) * 1000
