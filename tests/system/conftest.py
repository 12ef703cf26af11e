"""The fixtures of the system tests: the simulated hosts, made once for the whole run."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browsing import launched
from tests.system.cache import cache_directory, cache_lock
from tests.system.components import require_fleet
from tests.system.engines import Engine, removed_at_the_end, started_engines
from tests.system.fleet import HOSTS_WITH_DOCKER, Fleet, build_fleet
from tests.system.hands import HANDS, PASSWORD, Hand, Kind, visit
from tests.system.postgres import Cluster
from tests.system.registry import Registry, started_registry
from tests.system.roots import Roots, pristine_roots
from tests.system.serving import Served, served
from tests.system.wheels import Wheels, cached_wheels
from tests.system.workspaces import workspace


@pytest.fixture(scope="session")
def cached() -> tuple[Roots, Wheels]:
    """What is kept between runs: pristine Debian roots, never to be changed, and wheels."""
    require_fleet()
    cache = cache_directory()
    with cache_lock(cache):
        return pristine_roots(cache), cached_wheels(cache)


@pytest.fixture(scope="session")
def registry() -> Iterator[Registry]:
    """A registry on the loopback interface."""
    require_fleet()
    with workspace("registry") as home, started_registry(home / "registry") as registry:
        yield registry


@pytest.fixture(scope="session")
def engines(registry: Registry) -> Iterator[dict[str, Engine]]:
    """The engines of the hosts that have one, by the name of the host."""
    with started_engines(HOSTS_WITH_DOCKER, registry.address) as engines:
        yield engines


@pytest.fixture(scope="session")
def fleet(cached: tuple[Roots, Wheels], engines: dict[str, Engine], registry: Registry) -> Iterator[Fleet]:
    """All simulated hosts with the planted differences; a test that changes a host changes a copy of it."""
    roots, wheels = cached
    with workspace("hosts") as home:
        yield build_fleet(home, roots, wheels, engines, registry)


@pytest.fixture
def fresh_engine(registry: Registry) -> Iterator[Callable[[], Engine]]:
    """Start an engine of the test's own, empty, which the test may stop, kill and start again."""
    with ExitStack() as stack:

        def start() -> Engine:
            home = stack.enter_context(workspace("engine"))
            engine = stack.enter_context(removed_at_the_end(Engine(home / "engine", registry.address)))
            engine.start()
            return engine

        yield start


@pytest.fixture(scope="session", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def server(request: pytest.FixtureRequest, fleet: Fleet, registry: Registry) -> Iterator[Served]:
    """A server on either database, to which every host of the fleet has reported; it may ask the registry."""
    registries = (f"{registry.address}=http://{registry.address}",)
    with workspace("server") as home:
        if request.param == "sqlite":
            database = f"sqlite:///{home / 'server.db'}"
            with served(home, database, registries) as running:
                yield _with_reports(running, fleet)
            return
        pytest.importorskip("psycopg", reason='the driver is missing: pip install "envparity[postgres]"')
        cluster: Cluster = request.getfixturevalue("postgres_cluster")
        with cluster.database() as name, served(home, cluster.url(name), registries) as running:
            yield _with_reports(running, fleet)


def _with_reports(server: Served, fleet: Fleet) -> Served:
    for host in fleet.hosts:
        server.join(host)
    return server


@pytest.fixture(scope="module")
def browser(chromium: Path) -> Iterator[Browser]:
    """Debian's Chromium; its driver keeps an event loop, so that no longer than a module."""
    with launched(chromium) as browser:
        yield browser


@pytest.fixture(params=HANDS, ids=[kind.name for kind in HANDS])
def kind(request: pytest.FixtureRequest) -> Kind:
    """What somebody has in hand."""
    chosen: Kind = request.param
    return chosen


@pytest.fixture(scope="session")
def staffed(server: Served) -> Served:
    """The server, with one person of each role."""
    for name, role in (("ada", "admin"), ("olga", "operator"), ("vera", "viewer")):
        server.add_person(name, role, PASSWORD)
    return server


@pytest.fixture
def hand(kind: Kind, browser: Browser, staffed: Served) -> Iterator[Hand]:
    """The hand of somebody who comes to the server."""
    with visit(browser, staffed.address, kind) as hand:
        yield hand
