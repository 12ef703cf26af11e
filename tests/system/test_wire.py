"""What a report costs on the wire, counted by a proxy between the agent and the server."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.fleet import SHOP_ENVIRONMENT, Fleet, Host
from tests.system.installs import install_packages
from tests.system.proxy import Counter, counting_proxy
from tests.system.roots import Roots, copy_root
from tests.system.serving import Served, envparity
from tests.system.wheels import IDNA_ON_DEV, Wheels
from tests.system.workspaces import workspace

pytestmark = [pytest.mark.system, pytest.mark.parametrize("server", ["sqlite"], indirect=True)]

UNCHANGED_AT_MOST = 2 * 1024
ONE_UPGRADE_AT_MOST = 10 * 1024


@pytest.fixture
def counter(server: Served) -> Iterator[Counter]:
    """A proxy before the server."""
    with counting_proxy(server.address) as counter:
        yield counter


def _enrol(server: Served, counter: Counter, root: Path, name: str, docker: str | None, state: Path) -> None:
    token = server.token("enrol", "--environment", "wire")
    engine = ["--docker", docker] if docker else []
    enrolled = envparity(
        "agent", "enroll", "--server", counter.address, "--root", root, *engine, "--name", name, "--state", state,
        environment={"ENVPARITY_TOKEN": token},
    )  # fmt: skip
    assert enrolled.exit_code == 0, enrolled.complaint


def _report(state: Path, counter: Counter) -> tuple[str, int]:
    """The root that was reported, and the bytes that it took."""
    counter.taken()
    reported = envparity("agent", "once", "--json", "--state", state)
    assert reported.exit_code == 0, reported.complaint
    return str(reported.document["root"]), counter.taken()


def test_a_report_with_nothing_new_is_small_and_one_upgrade_moves_little(
    server: Served, counter: Counter, fleet: Fleet, cached: tuple[Roots, Wheels]
) -> None:
    with workspace("wire") as home:
        host = Host("wired", "wire", copy_root(fleet.prod.root, home / "root"), fleet.prod.docker)
        _enrol(server, counter, host.root, host.name, host.docker, home / "state")
        first, _ = _report(home / "state", counter)
        second, unchanged = _report(home / "state", counter)
        install_packages(host.root, SHOP_ENVIRONMENT, cached[1].python_3_11, [IDNA_ON_DEV])
        third, upgraded = _report(home / "state", counter)
    assert first == second != third
    assert unchanged < UNCHANGED_AT_MOST
    assert upgraded < ONE_UPGRADE_AT_MOST
