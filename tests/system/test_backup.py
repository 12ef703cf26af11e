"""A backup while agents report, restored elsewhere: it has what was acknowledged before, and answers are the same."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from envparity_server.app import create_app
from envparity_server.storage import backups
from envparity_server.storage.database import open_database, reading
from envparity_server.storage.hosts import all_hosts
from tests.server.asking import Asking
from tests.server.waiting import until
from tests.system.load import check_nothing_lost, load
from tests.system.postgres import Cluster
from tests.system.serving import Served, envparity, served

Databases = tuple[str, str]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def databases(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Databases]:
    """The addresses of two empty databases of a kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'server.db'}", f"sqlite:///{tmp_path / 'elsewhere.db'}"
        return
    pytest.importorskip("psycopg", reason='the driver is missing: pip install "envparity[postgres]"')
    cluster: Cluster = request.getfixturevalue("postgres_cluster")
    with cluster.database() as one, cluster.database() as other:
        yield cluster.url(one), cluster.url(other)


def server(database_url: str, *arguments: str | Path) -> None:
    """Run a verb of the server that must succeed."""
    ended = envparity("server", *arguments, environment={"ENVPARITY_DATABASE_URL": database_url})
    assert ended.exit_code == 0, ended.complaint


def answers(database_url: str, moment: str) -> list[Any]:
    """What a server on a database answers of every host at a moment."""
    engine = open_database(database_url)
    viewer = asking(engine)
    with reading(engine) as connection:
        names = sorted(one.name for one in all_hosts(connection) if one.root)
    found = [viewer.get("/api/v1/fingerprints", of=f"host:{name}@{moment}").json() for name in names]
    found += [viewer.get("/api/v1/compare", left=f"host:{names[0]}@{moment}", right=f"host:{names[1]}@{moment}").json()]
    engine.dispose()
    return found


def asking(engine: Engine) -> Asking:
    """Somebody who may read, asking an application without jobs."""
    return Asking(create_app(engine, jobs=()), engine).as_role("viewer")


def test_a_backup_during_load_gives_the_same_answers_elsewhere(tmp_path: Path, databases: Databases) -> None:
    one, other = databases
    copy = tmp_path / "copy"
    with served(tmp_path, one) as running:
        engine = open_database(one)
        before, moment = backed_up_under_load(running, engine, copy)
        check_nothing_lost(engine, before)
        engine.dispose()
    server(other, "restore", copy)
    restored, original = answers(other, moment), answers(one, moment)
    assert len(restored) > 4
    assert restored == original


def backed_up_under_load(running: Served, engine: Engine, copy: Path) -> tuple[list[Any], str]:
    """Back up while agents report; returns the agents, and a moment before which everything is in the copy."""
    with load(running.address, engine) as agents:
        until(lambda: all(len(one.acknowledged) >= 2 for one in agents))
        acknowledged = {one.enrolment.host_id: len(one.acknowledged) for one in agents}
        moment = datetime.now(UTC).isoformat()
        # what was on its way at the moment has arrived
        until(lambda: all(len(one.acknowledged) > acknowledged[one.enrolment.host_id] for one in agents))
        server(running.database_url, "backup", copy)
    rows = backups.read(copy).rows
    assert rows["host"] == len(agents)
    assert rows["history"] >= sum(acknowledged.values())
    return agents, moment
