"""Puts the fleet into a database through the real intake, with the simulated clock."""

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from random import Random

from sqlalchemy import Connection, Engine, text, update

from envparity_server import intake
from envparity_server.storage import access, hosts
from envparity_server.storage.database import writing
from envparity_server.storage.hosts import Host
from envparity_server.storage.pruning import prune
from envparity_server.storage.tables import host as host_table
from tests.performance.fleet.history import DAYS, INTERVAL, MOST_HOSTS, Report, first_reports, later_reports
from tests.performance.fleet.hosts import Machine, fingerprint
from tests.performance.measuring import Figure

HOSTS = MOST_HOSTS
SEED = 20261101
TOGETHER = 200  # reports in one transaction: here nobody waits for an acknowledgement
KEPT = timedelta(days=365)  # of the history: nothing here is as old
EPOCH = "00112233"


def load(engine: Engine, label: str, count: int = HOSTS, most: int | None = None) -> Iterator[Figure]:
    """Enrol the hosts, take their first reports, then 30 days of what changes; the last of these is just now.

    With `most` only that many of the reports that change something.

    Each night what is no longer in use leaves the index, as a server's job does it.
    """
    machines = [Machine(number * HOSTS // count) for number in range(count)]  # few of them are as unlike as many
    start = datetime.now(UTC).replace(microsecond=0) - timedelta(days=DAYS) - 2 * INTERVAL
    loader = _Loader(engine, machines, start)
    yield loader.take(first_reports(machines, start), f"{label}: first reports taken in")
    yield loader.take(
        islice(later_reports(machines, start, Random(SEED)), most), f"{label}: reports with something new taken in"
    )
    loader.finish()
    yield Figure(f"{label}: pruning after a day, the longest", max(loader.prunings), "s")


def credential(machine: Machine) -> str:
    """The secret by which a host reports."""
    return f"epa_credential-of-{machine.name:->40}"


def host_id(machine: Machine) -> str:
    """The id of a host."""
    return access.hashed(machine.name)[:16]


class _Loader:
    """Takes reports as the server does, and knows as the agents do what the server has."""

    def __init__(self, engine: Engine, machines: list[Machine], start: datetime) -> None:
        self._engine = engine
        self._sent: set[str] = set()
        self._hosts: dict[Machine, Host] = {}
        self._night = start + timedelta(days=1)
        self.prunings: list[float] = []  # seconds
        with writing(engine) as connection:
            for machine in machines:
                self._hosts[machine] = _enrolled(connection, machine, start)

    def take(self, reports: Iterable[Report], work: str) -> Figure:
        """Take all of them; how many a second, of the time that the server has for them."""
        spent, taken = 0.0, 0
        coming = iter(reports)
        while batch := list(islice(coming, TOGETHER)):
            if batch[0].moment >= self._night:
                self._prune(self._night)
                self._night += timedelta(days=1)
            bodies = [(one, fingerprint(one.machine, one.state, one.moment.isoformat())) for one in batch]
            prepared = [(one, found.root, found.objects()) for one, found in bodies]
            new = [self._new(objects) for _, _, objects in prepared]
            started = time.perf_counter()
            with writing(self._engine) as connection:
                _without_waiting(connection)
                for (one, root, objects), body in zip(prepared, new, strict=True):
                    self._take(connection, one, root, objects, body)
            spent += time.perf_counter() - started
            taken += len(batch)
        return Figure(f"{work} ({taken})", taken / spent, "a second")

    def _new(self, objects: dict[str, bytes]) -> bytes:
        new = objects.keys() - self._sent
        self._sent |= new
        return b"\n".join(objects[hash] for hash in sorted(new))

    def _take(self, connection: Connection, one: Report, root: str, objects: Mapping[str, bytes], body: bytes) -> None:
        intake.store_objects(connection, body, one.moment)
        before = self._hosts[one.machine]
        if before.root is not None:  # the reports since then told nothing new
            before = replace(before, seen_at=one.moment - INTERVAL, seq=one.seq - 1)
        head = {
            "root": root, "taken_at": one.moment.isoformat(), "identity": {"hostname": one.machine.name},
            "observed": {}, "interval": int(INTERVAL.total_seconds()), "agent": "1.0",
        }  # fmt: skip
        while missing := intake.accept(connection, before, EPOCH, one.seq, head, one.moment)[1]:
            pruned = b"\n".join(objects[hash] for hash in missing)
            intake.store_objects(connection, pruned, one.moment)
        self._hosts[one.machine] = replace(before, root=root, epoch=EPOCH, seq=one.seq, seen_at=one.moment)

    def finish(self) -> None:
        """Every host has reported just now, and the last day is pruned."""
        with writing(self._engine) as connection:
            connection.execute(update(host_table).values(seen_at=datetime.now(UTC)))
        self._prune(datetime.now(UTC))
        with self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("ANALYZE"))  # as an operator's database has by itself

    def _prune(self, now: datetime) -> None:
        started = time.perf_counter()
        prune(self._engine, now, KEPT)
        self.prunings.append(time.perf_counter() - started)


def _enrolled(connection: Connection, machine: Machine, moment: datetime) -> Host:
    labels = {"role": machine.role, "release": machine.release}
    own = access.hashed(credential(machine))
    hosts.add(connection, host_id(machine), machine.name, machine.environment, labels, own, moment)
    found = hosts.by_id(connection, host_id(machine))
    assert found is not None
    return found


def _without_waiting(connection: Connection) -> None:
    """Let no transaction of the loading wait for the disk."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL synchronous_commit = off"))
