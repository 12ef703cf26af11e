"""Runs the agent at its interval until it is told to stop."""

import ctypes
import gc
import hashlib
import logging
import signal
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import FrameType

from apscheduler.schedulers.blocking import BlockingScheduler
from apscheduler.triggers.interval import IntervalTrigger

from envparity_agent.errors import EnvparityError

_log = logging.getLogger(__name__)


def run_forever(host_id: str, interval: int, job: Callable[[], object]) -> None:
    """Run a job now and then at every interval, until SIGINT or SIGTERM.

    Later runs have a phase of their own per host, so that a fleet that was started at once does not report at once.
    """
    # one at a time: the first run may last beyond the phase of the second
    scheduler = BlockingScheduler(timezone=UTC, executors={"default": {"type": "threadpool", "max_workers": 1}})
    phase = int(hashlib.sha256(host_id.encode()).hexdigest(), 16) % interval
    started = datetime.now(UTC)
    scheduler.add_job(_told(job), next_run_time=started)
    scheduler.add_job(
        _told(job),
        IntervalTrigger(seconds=interval, start_date=started + timedelta(seconds=phase or interval), timezone=UTC),
        coalesce=True,  # after a suspend: one run, not all that were missed
        max_instances=1,
        misfire_grace_time=None,
    )

    def stop(_number: int, _frame: FrameType | None) -> None:
        if scheduler.running:  # a second signal comes while the first one is obeyed
            scheduler.shutdown(wait=False)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    scheduler.start()


def _told(job: Callable[[], object]) -> Callable[[], None]:
    """A run that fails is told, and the next one comes all the same."""

    def run() -> None:
        try:
            job()
            _give_back_memory()
        except EnvparityError as problem:
            _log.error("%s%s", problem, f" ({problem.advice})" if problem.advice else "")

    return run


def _give_back_memory() -> None:
    """Give what a run took back to the system: until the next one this process only waits.

    https://man7.org/linux/man-pages/man3/malloc_trim.3.html
    """
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc has it
    if trim is not None:
        trim(0)
