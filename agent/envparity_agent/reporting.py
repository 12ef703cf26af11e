"""One run of the agent: fingerprint this host, keep the report, deliver it."""

from collections.abc import Callable
from pathlib import Path

from envparity_agent import state
from envparity_agent.client import Client, NotKnown
from envparity_agent.collectors.memory import Memory
from envparity_agent.config import agent_settings
from envparity_agent.fingerprint import Fingerprint
from envparity_agent.rotation import rotate
from envparity_agent.spool import Report, Spool
from envparity_agent.state import Enrolment
from envparity_agent.targets import host
from envparity_agent.targets.options import options


def report_once(
    directory: Path, interval: int, progress: Callable[[str], None], memory: Memory | None = None
) -> Fingerprint:
    """Survey, spool, deliver; the report stays spooled until the server has acknowledged it.

    An agent that stays gives its memory each time.

    1. The report's number is persisted before it is used, so that it is never used twice.
    2. The report is durable before it is sent.
    3. It is forgotten after the server's acknowledgement, which means: committed.
    """
    enrolment = state.load(directory).next()
    spool = Spool(directory)
    memory = memory or Memory(state.remembered(directory))
    found = host(options(agent_settings(), enrolment.root, enrolment.docker, progress), memory)
    state.remember(directory, memory.lasting)
    state.save(directory, enrolment)
    spool.put(Report(enrolment.epoch, enrolment.seq, found))
    progress("reporting")
    _deliver(directory, spool, enrolment, interval)
    return found


def _deliver(directory: Path, spool: Spool, enrolment: Enrolment, interval: int) -> None:
    waiting = spool.waiting()
    if waiting is None:
        return
    try:
        _send(waiting, enrolment, interval)
    except NotKnown:
        if not enrolment.next_credential:
            raise
        _send(waiting, rotate(directory, enrolment), interval)  # a change of it was interrupted: the new one works
    spool.acknowledged()


def _send(report: Report, enrolment: Enrolment, interval: int) -> None:
    with Client(enrolment.server, enrolment.credential) as client:
        client.report(report, enrolment.host_id, interval)
