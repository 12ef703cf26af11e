"""Simulated agents that report again and again through the agent's own client, and remember what was acknowledged."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine, select

from envparity_agent.client import Client
from envparity_agent.fingerprint import Fingerprint
from envparity_agent.spool import Report
from envparity_agent.state import Enrolment
from envparity_server.storage import access
from envparity_server.storage.database import reading, writing
from envparity_server.storage.tables import history, host
from tests.server.making import OPERATING_SYSTEM, packages
from tests.server.making import host as made

REPORTS = 12
WITHIN = 180.0


@dataclass
class Agent:
    """One agent: what it is, and the roots that a server acknowledged, in order."""

    enrolment: Enrolment
    acknowledged: list[str] = field(default_factory=list)
    failure: BaseException | None = None

    def live(self, token: str, name: str, enough: threading.Event) -> None:
        """Enrol and report, each time something else, until it is enough and they are some."""
        try:
            with Client(self.enrolment.server, token) as client:
                client.enrol(self.enrolment, name, "prod", {})
            with Client(self.enrolment.server, self.enrolment.credential) as client:
                while len(self.acknowledged) < REPORTS or not enough.is_set():
                    self.enrolment = self.enrolment.next()
                    found = self._fingerprint(name)
                    client.report(Report(self.enrolment.epoch, self.enrolment.seq, found), self.enrolment.host_id, 900)
                    self.acknowledged.append(found.root)
        except BaseException as problem:  # noqa: BLE001  # told to the test, which has another thread
            self.failure = problem

    def _fingerprint(self, name: str) -> Fingerprint:
        pinned = {f"package-{number}": "1.0" for number in range(200)}
        moved = {"moved": f"{self.enrolment.seq}.0", f"of-{name}": "1"}
        return made(OPERATING_SYSTEM, packages({**pinned, **moved}), name=name)


@contextmanager
def load(address: str, engine: Engine, agents: int = 8) -> Iterator[list[Agent]]:
    """Have agents report to an address for as long as the block lasts; raises what went wrong with one."""
    with writing(engine) as connection:
        token = access.make_enrolment_token(connection, "prod", agents, timedelta(hours=1), datetime.now(UTC))
    made, enough = [Agent(Enrolment(address, "/")) for _ in range(agents)], threading.Event()
    threads = [
        threading.Thread(target=one.live, args=(token, f"web-{number}", enough)) for number, one in enumerate(made)
    ]
    for thread in threads:
        thread.start()
    try:
        yield made
    finally:
        enough.set()
        for thread in threads:
            thread.join(WITHIN)
    assert not any(thread.is_alive() for thread in threads)
    for one in made:
        if one.failure:
            raise one.failure


def check_nothing_lost(engine: Engine, agents: list[Agent]) -> None:
    """Every acknowledged report is in the database under its number, in the order in which it was acknowledged."""
    with reading(engine) as connection:
        for agent in agents:
            row = connection.execute(select(host).where(host.c.id == agent.enrolment.host_id)).one()
            assert (row.epoch, row.seq, row.root) == (
                agent.enrolment.epoch,
                agent.enrolment.seq,
                agent.acknowledged[-1],
            )
            mine = select(history.c.root).where(history.c.host_id == row.id).order_by(history.c.first_seen)
            assert list(connection.scalars(mine)) == agent.acknowledged
