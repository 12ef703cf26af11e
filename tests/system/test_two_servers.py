"""Two server processes on one PostgreSQL under load, one of them killed: nothing acknowledged is lost."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from envparity_server.storage.database import migrate, open_database, reading
from envparity_server.storage.jobs import LAPSED
from envparity_server.storage.tables import job_run
from tests.server.waiting import until
from tests.system.daemons import end, start, wait_until_ready
from tests.system.load import check_nothing_lost, load
from tests.system.proxy import counting_proxy
from tests.system.serving import answers, free_port

pytestmark = pytest.mark.postgres

ROOT = Path(__file__).parents[2]


@contextmanager
def beating(home: Path, name: str, url: str) -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    """A server process: its address and itself."""
    port, log = free_port(), home / f"{name}.log"
    paths = f"PYTHONPATH={ROOT}:{ROOT / 'agent'}:{ROOT / 'server'}"
    command = ["env", paths, sys.executable, "-m", "tests.system.beating", url, str(port), str(home / "beats")]
    process = start(command, log)
    try:
        wait_until_ready(name, process, log, lambda: answers(port))
        yield f"http://127.0.0.1:{port}", process
    finally:
        end(process)


@pytest.fixture
def database(postgres_database: str) -> Iterator[Engine]:
    """A PostgreSQL database that has the schema."""
    engine = open_database(postgres_database)
    migrate(engine)
    yield engine
    engine.dispose()


def beats(home: Path) -> list[int]:
    """The process of each run of the job."""
    file = home / "beats"
    return [int(line) for line in file.read_text().splitlines()] if file.exists() else []


def test_a_server_that_is_killed_under_load_loses_nothing(tmp_path: Path, database: Engine) -> None:
    url = database.url.render_as_string(hide_password=False)
    with ExitStack() as stack:
        addresses, processes = zip(
            *(stack.enter_context(beating(tmp_path, name, url)) for name in ("first", "second")), strict=True
        )
        until(lambda: set(beats(tmp_path)) == {process.pid for process in processes})
        balancer = stack.enter_context(counting_proxy(*addresses))
        with load(balancer.address, database) as agents:
            until(lambda: sum(len(one.acknowledged) for one in agents) >= 2 * len(agents))
            processes[0].kill()
            processes[0].wait()
            before = beats(tmp_path).count(processes[1].pid)
            until(lambda: beats(tmp_path).count(processes[1].pid) >= before + 5)  # the lease of the killed one ended
        assert processes[1].poll() is None
    check_nothing_lost(database, agents)
    check_each_slot_ran_once(database, beats(tmp_path))


def check_each_slot_ran_once(engine: Engine, ran: list[int]) -> None:
    """A slot that is remembered left one line, but for the one that its process was killed in."""
    with reading(engine) as connection:
        runs = connection.execute(select(job_run).where(job_run.c.job == "beat").order_by(job_run.c.due_at)).all()
    assert len({one.holder for one in runs}) == 2
    cut_short = sum(one.problem == LAPSED for one in runs)
    assert {one.problem for one in runs} <= {None, LAPSED}  # also: no run found another one at it
    assert cut_short <= 1
    assert len(runs) - cut_short <= len(ran) <= len(runs)


def test_a_server_that_is_told_to_stop_under_load_ends_what_it_took(tmp_path: Path, database: Engine) -> None:
    url = database.url.render_as_string(hide_password=False)
    with ExitStack() as stack:
        (stopping, process), (staying, _) = (
            stack.enter_context(beating(tmp_path, name, url)) for name in ("stopping", "staying")
        )
        balancer = stack.enter_context(counting_proxy(stopping, staying))
        with load(balancer.address, database) as agents:
            until(lambda: sum(len(one.acknowledged) for one in agents) >= 2 * len(agents))
            process.terminate()
            assert process.wait(20) in (0, -15), (tmp_path / "stopping.log").read_text()
    check_nothing_lost(database, agents)
    assert os.path.getsize(tmp_path / "beats") > 0
