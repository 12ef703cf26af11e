"""Serves in a process that is killed at any moment, and reports to it until it is."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from multiprocessing.synchronize import Event
from typing import Any

import httpx
import uvicorn
from sqlalchemy import Engine, select

from envparity_agent.fingerprint import Fingerprint
from envparity_server.api import agents
from envparity_server.app import create_app
from envparity_server.storage.database import open_database, reading
from envparity_server.storage.tables import host as host_table
from tests.forking import PROCESSES
from tests.server.asking import EPOCH
from tests.system.serving import free_port

_LONGEST_WAIT = 60.0  # seconds, for a machine with much else to do
MOST_REPORTS = 12  # that are acknowledged before the server is killed
_LATER = 0.2  # seconds after its acknowledgement, at which the mutant commits


class _Server(uvicorn.Server):
    """Tells when it takes connections."""

    def __init__(self, config: uvicorn.Config, ready: Event) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        self._ready.set()


def _serve(url: str, port: int, ready: Event, hasty: bool) -> None:
    if hasty:
        _acknowledge_early()
    application = create_app(open_database(url))
    _Server(uvicorn.Config(application, port=port, log_level="critical"), ready).run()


def _acknowledge_early() -> None:
    """Make this process the mutant that must be found: it acknowledges a report, and commits it afterwards."""
    accept = agents._accept

    def hasty(*arguments: Any) -> dict[str, Any]:
        threading.Timer(_LATER, accept, arguments).start()
        return {"accepted": True}

    agents._accept = hasty  # type: ignore[assignment]  # it takes what its caller gives


@contextmanager
def served(url: str, hasty: bool) -> Iterator[str]:
    """A server at the address that is given, until it is killed at the end of the context."""
    port, ready = free_port(), PROCESSES.Event()
    process = PROCESSES.Process(target=_serve, args=(url, port, ready, hasty))
    process.start()
    try:
        assert ready.wait(_LONGEST_WAIT)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.join()


@dataclass
class Reporter:
    """A host that reports one of two roots after the other, each under its next number."""

    host_id: str
    credential: str
    fingerprints: tuple[Fingerprint, Fingerprint]
    acknowledged: int = 0  # the last number

    def report_until_killed(self, address: str, acknowledged: threading.Semaphore) -> None:
        """Report on and on, until nobody answers any more."""
        headers = {"Authorization": f"Bearer {self.credential}"}
        with httpx.Client(base_url=address, headers=headers, timeout=_LONGEST_WAIT) as client:
            try:
                while True:
                    seq = self.acknowledged + 1
                    answer = client.put(f"/api/v1/reports/{EPOCH}/{seq}", json=self._head(seq))
                    if answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE:
                        continue  # the database was busy for too long: nothing was acknowledged
                    assert answer.json()["accepted"], answer.text
                    self.acknowledged = seq
                    acknowledged.release()
            except httpx.TransportError:
                return

    def _head(self, seq: int) -> dict[str, Any]:
        return {
            "host": self.host_id, "root": self.root(seq), "taken_at": datetime.now(UTC).isoformat(), "interval": 900,
            "agent": "1.0",
        }  # fmt: skip

    def root(self, seq: int) -> str:
        """What it reports under a number."""
        return self.fingerprints[seq % 2].root

    def lost(self, engine: Engine) -> int:
        """How many reports that were acknowledged the store does not have; the next one may be there as well."""
        with reading(engine) as connection:
            row = connection.execute(
                select(host_table.c.seq, host_table.c.root).where(host_table.c.id == self.host_id)
            ).one()
        stored = row.seq or 0
        assert stored == 0 or row.root == self.root(stored)
        return max(0, self.acknowledged - stored)


def lost_in(cycles: int, engine: Engine, url: str, reporters: list[Reporter], hasty: bool) -> int:
    """Serve, kill, and look so many times; how many acknowledged reports were lost in all."""
    lost = 0
    for cycle in range(cycles):
        acknowledged = threading.Semaphore(0)
        with served(url, hasty) as address:
            threads = [
                threading.Thread(target=one.report_until_killed, args=(address, acknowledged)) for one in reporters
            ]
            for thread in threads:
                thread.start()
            for _ in range(1 + 7 * cycle % MOST_REPORTS):
                assert acknowledged.acquire(timeout=_LONGEST_WAIT)
        for thread in threads:
            thread.join()
        for one in reporters:
            lost += one.lost(engine)
            one.acknowledged -= one.lost(engine)  # each is counted once
    return lost
