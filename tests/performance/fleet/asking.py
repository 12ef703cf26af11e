"""Asks the application of the fleet, as people, pipelines and agents do, and keeps how long each answer took."""

import gzip
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from statistics import median, quantiles

import anyio
import httpx
from fastapi import FastAPI
from sqlalchemy import Engine, func, select, text, update

from envparity_agent.fingerprint import Fingerprint, Section, Target
from envparity_server.app import create_app
from envparity_server.storage.database import writing
from envparity_server.storage.tables import host as host_table
from envparity_server.storage.tables import metadata
from tests.performance.fleet import hosts
from tests.performance.fleet.history import DAYS
from tests.performance.fleet.hosts import ENVIRONMENTS, PACKAGES, RELEASES, ROLES, Machine
from tests.performance.fleet.loading import EPOCH, HOSTS, SEED, credential, host_id
from tests.performance.measuring import Figure
from tests.server.asking import Asking

PAGE_AIM, AIM = 300.0, 1000.0  # milliseconds
RUNS = 60
REPORTS, WHOLE = 200, 50

Query = Mapping[str, str | list[str]]
_Delivery = tuple[Machine, str, Mapping[str, bytes]]  # a host, the root that it reports, and the objects of its tree
Question = Callable[[Random], tuple[str, Query]]  # the path and query of one run


@dataclass(frozen=True)
class _Work:
    """A question with arguments that vary, and what is aimed for."""

    name: str
    question: Question
    aim: float = AIM


def _host(random: Random) -> Machine:
    return Machine(random.randrange(HOSTS))


def _past(random: Random) -> str:
    moment = datetime.now(UTC) - timedelta(minutes=random.randrange(60, (DAYS - 1) * 24 * 60))
    return moment.isoformat(timespec="seconds")


def _comparison(left: str, right: str) -> tuple[str, Query]:
    return "/api/v1/compare", {"left": left, "right": right}


def _pair(random: Random) -> tuple[str, str]:
    first, second = random.sample(ENVIRONMENTS, 2)
    return f"env:{first}", f"env:{second}"


def _environments(random: Random) -> tuple[str, Query]:
    return _comparison(*_pair(random))


def _labelled(random: Random) -> tuple[str, Query]:
    label = random.choice([f"role={random.choice(ROLES)}", f"release={random.choice(RELEASES)}"])
    return _comparison(*(f"{one},{label}" for one in _pair(random)))


def _two_hosts(random: Random) -> tuple[str, Query]:
    return _comparison(f"host:{_host(random).name}", f"host:{_host(random).name}")


def _host_then(random: Random) -> tuple[str, Query]:
    name = _host(random).name
    return _comparison(f"host:{name}@{_past(random)}", f"host:{name}")


def _environment_then(random: Random) -> tuple[str, Query]:
    one = random.choice(ENVIRONMENTS)
    return _comparison(f"env:{one}@{_past(random)}", f"env:{one}")


def _compare_page(random: Random) -> tuple[str, Query]:
    left, right = _pair(random)
    return "/compare", {"left": left, "right": right}


def _having(random: Random) -> tuple[str, Query]:
    return "/api/v1/items", {"name": f"package-{random.randrange(PACKAGES):03}"}


def _majority(random: Random) -> tuple[str, Query]:
    item = f"package-{random.randrange(PACKAGES):03}"
    return "/api/v1/majority", {"of": f"env:{random.choice(ENVIRONMENTS)}", "section": "os-packages", "item": item}


def _pivot(random: Random) -> tuple[str, Query]:
    role = random.choice(ROLES)
    return "/api/v1/pivot", {"of": [f"env:{one},role={role}" for one in ENVIRONMENTS]}


PAGES = (
    _Work("hosts page", lambda random: ("/hosts", {"page": str(random.randrange(1, 21))}), PAGE_AIM),
    _Work("hosts page, searched", lambda random: ("/hosts", {"q": random.choice(ROLES)}), PAGE_AIM),
    _Work("host page", lambda random: (f"/hosts/{host_id(_host(random))}", {}), PAGE_AIM),
    _Work(
        "host page, a section opened",
        lambda random: (f"/hosts/{host_id(_host(random))}", {"section": "os-packages"}),
        PAGE_AIM,
    ),
    _Work("compare page, nothing chosen", lambda _: ("/compare", {}), PAGE_AIM),
    _Work("compare page, two environments", _compare_page),
)
API = (
    _Work("two environments", _environments),
    _Work("two environments, by a label", _labelled),
    _Work("two hosts", _two_hosts),
    _Work("a host at a moment and now", _host_then),
    _Work("an environment at a moment and now", _environment_then),
    _Work("who has X since when", _having),
    _Work("what most of an environment have of X", _majority),
    _Work("pivot of three selectors", _pivot),
)


def asked(engine: Engine, label: str) -> Iterator[Figure]:
    """Every question many times with other arguments: the median, the slowest of a hundred, and what of it was work."""
    application = Asking(create_app(engine), engine)
    reader, person = application.as_role("viewer"), application.logged_in()
    for work, who in [*((one, person) for one in PAGES), *((one, reader) for one in API)]:
        _fresh(engine)
        random = Random(SEED)
        taken = [_timed(who, *work.question(random)) for _ in range(RUNS + 1)][1:]
        cuts = quantiles((wall for wall, _ in taken), n=100, method="inclusive")
        yield Figure(f"{label}: {work.name}, p50", cuts[49], "ms", aim=work.aim)
        yield Figure(f"{label}: {work.name}, p99", cuts[98], "ms", aim=work.aim)
        # of the application alone, which others on the machine make no longer
        yield Figure(f"{label}: {work.name}, processor time", median(used for _, used in taken), "ms")


def _timed(who: Asking, path: str, query: Query) -> tuple[float, float]:
    """Milliseconds on the clock, and of processor time."""
    started, used = time.perf_counter(), time.process_time()
    answer = who.ask("GET", path, params=query)
    taken = (time.perf_counter() - started) * 1000, (time.process_time() - used) * 1000
    assert answer.status_code == 200, f"{path} {query}: {answer.status_code} {answer.text[:500]}"
    return taken


def _fresh(engine: Engine) -> None:
    """The fleet goes on reporting while it is asked."""
    with writing(engine) as connection:
        connection.execute(update(host_table).values(seen_at=datetime.now(UTC)))


def reporting(engine: Engine, label: str) -> Iterator[Figure]:
    """Reports over the application, one after the other: such as tell nothing new, and such as tell all anew."""
    client = _Client(create_app(engine))
    with engine.connect() as connection:
        roots = {row.id: row.root for row in connection.execute(select(host_table.c.id, host_table.c.root))}
    machines = [Machine(number) for number in range(REPORTS)]
    same: list[_Delivery] = [(one, roots[host_id(one)], {}) for one in machines]
    yield Figure(f"{label}: reports with nothing new", anyio.run(client.deliver, same, 2**30), "a second")
    whole = [(one, *_other(one)) for one in machines[:WHOLE]]
    size = sum(map(len, whole[0][2].values())) // 1024
    taken = anyio.run(client.deliver, whole, 2**30 + 1)
    yield Figure(f"{label}: whole reports of {size} KiB", taken, "a second")


def _other(machine: Machine) -> tuple[str, Mapping[str, bytes]]:
    """The root and objects of a report of which the server has nothing."""
    names = f"host{machine.number}"
    distributions = Section(f"python/srv/{names}", "python", 2, hosts.distributions(names, 140, 0))
    found = Fingerprint(Target("host", names), "", {
        "os-packages": Section("os-packages", "os-packages", 2, hosts.packages(names, 0)),
        distributions.path: distributions,
    })  # fmt: skip
    return found.root, found.objects()


@dataclass(frozen=True)
class _Client:
    """Reports as agents do: hash first, then what the server lacks, until it acknowledges."""

    application: FastAPI

    async def deliver(self, reports: Sequence[_Delivery], seq: int) -> float:
        """Deliver each; returns how many a second."""
        transport = httpx.ASGITransport(self.application)
        async with httpx.AsyncClient(transport=transport, base_url="http://envparity.test") as client:
            started = time.perf_counter()
            for machine, root, objects in reports:
                client.headers["Authorization"] = f"Bearer {credential(machine)}"
                head = {
                    "host": host_id(machine), "root": root, "taken_at": datetime.now(UTC).isoformat(), "identity": {},
                    "observed": {}, "interval": 900, "agent": "1.0",
                }  # fmt: skip
                answer = await client.put(f"/api/v1/reports/{EPOCH}/{seq}", json=head)
                while missing := answer.json().get("missing"):
                    body = gzip.compress(b"\n".join(objects[hash] for hash in missing))
                    answer = await client.put("/api/v1/objects", content=body, headers={"Content-Encoding": "gzip"})
                if "accepted" not in answer.json():
                    answer = await client.put(f"/api/v1/reports/{EPOCH}/{seq}", json=head)
                assert answer.json()["accepted"], answer.text
            return len(reports) / (time.perf_counter() - started)


def sizes(engine: Engine, label: str) -> Iterator[Figure]:
    """The size of the database, and the rows of each table that has any."""
    with engine.connect() as connection:
        size = (
            "SELECT pg_database_size(current_database())"
            if engine.dialect.name == "postgresql"
            else "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
        )
        yield Figure(f"{label}: database", connection.execute(text(size)).scalar_one() / 2**20, "MiB")
        for name, table in metadata.tables.items():
            rows = connection.scalar(select(func.count()).select_from(table)) or 0
            if rows:
                yield Figure(f"{label}: {name}", rows, "rows")
