"""A simulated fleet of 1,000 hosts with 30 days of history, and what asking about it costs on either database."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine

from envparity_server.serving import collect_seldom
from envparity_server.storage.database import migrate, open_database
from tests.performance.fleet.asking import asked, reporting, sizes
from tests.performance.fleet.loading import load
from tests.performance.measuring import Figure
from tests.system.postgres import started_cluster


def fleet(home: Path) -> Iterator[Figure]:
    """The same fleet on SQLite and on PostgreSQL."""
    home.mkdir(parents=True)
    collect_seldom()  # as the server's process does
    with _opened(f"sqlite:///{home / 'server.db'}") as engine:
        yield from _measured(engine, "SQLite")
    with started_cluster() as cluster, cluster.database() as name, _opened(cluster.url(name)) as engine:
        yield from _measured(engine, "PostgreSQL")


def _measured(engine: Engine, label: str) -> Iterator[Figure]:
    yield from load(engine, label)
    yield from sizes(engine, label)
    yield from asked(engine, label)
    yield from reporting(engine, label)


@contextmanager
def _opened(url: str) -> Iterator[Engine]:
    engine = open_database(url)
    migrate(engine)
    yield engine
    engine.dispose()
