"""Turns skips into failures where nothing may be missing, and gives every test a database and a browser."""

import os
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

from tests.system.components import CHROMIUM, require
from tests.system.postgres import Cluster, started_cluster

# the tiers of the property tests: each test takes what its profile says. The short one takes the same examples each
# time, so that what it says of a change depends on that change alone; the long one looks for new ones.
COMMON = settings(deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("short", COMMON, max_examples=50, derandomize=True)
settings.register_profile("long", COMMON, max_examples=500)
settings.load_profile("short")

STRICT = "ENVPARITY_TESTS_STRICT"
# files of what takes minutes to make: one process runs them all
FLEET = frozenset(
    f"tests/system/test_{name}.py"
    for name in ("agent_run", "arrival_stories", "dashboard_stories", "fleet", "oracle", "pages", "story", "wire")
)
SLOWEST = ("tests/system/", "tests/server/cli/", "tests/server/dashboard/")
# applications of the evaluation, some of which have tests of their own
collect_ignore = ["evaluation/tuned", "evaluation/heldout", "evaluation/remedies"]


class _ByFile(LoadFileScheduling):  # type: ignore[misc]  # pytest-xdist ships no types
    """Gives the tests of a file to one process, and those of all files that use the fleet to one as well.

    By names, as `--dist loadgroup` of pytest-xdist 3.8 groups nothing under pytest 9.
    """

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return "fleet" if file in FLEET else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadFileScheduling:
    """Distribute as above, whatever `--dist` says."""
    return _ByFile(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the slow ones first, so that no process is left alone with them at the end."""
    items.sort(key=lambda item: (_file(item) not in FLEET, [not item.nodeid.startswith(one) for one in SLOWEST]))
    using = {_file(item) for item in items if "fleet" in getattr(item, "fixturenames", ())}
    if lacking := {one for one in using if one.startswith("tests/system/")} - FLEET:
        raise pytest.UsageError(f"{', '.join(sorted(lacking))} uses the fleet: name it in FLEET of tests/conftest.py")


def _file(item: pytest.Item) -> str:
    return item.nodeid.partition("::")[0]


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail a test that was skipped, if the run is strict; a test that is expected to fail is no skipped one."""
    report = yield
    if _strict() and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = _reason(report.longrepr)
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Fail a module that was skipped as a whole, if the run is strict."""
    report = yield
    if _strict() and report.skipped:
        report.outcome = "failed"
        report.longrepr = _reason(report.longrepr)
    return report


@pytest.fixture(scope="session")
def postgres_cluster() -> Iterator[Cluster]:
    """A PostgreSQL cluster for the whole run."""
    with started_cluster() as cluster:
        yield cluster


@pytest.fixture(scope="session")
def postgres_url(postgres_cluster: Cluster) -> str:
    """The address of the cluster's maintenance database, for SQLAlchemy."""
    return postgres_cluster.url()


@pytest.fixture
def postgres_database(postgres_cluster: Cluster) -> Iterator[str]:
    """The address of an empty database that is the test's own, for SQLAlchemy."""
    with postgres_cluster.database() as name:
        yield postgres_cluster.url(name)


@pytest.fixture(scope="session")
def chromium() -> Path:
    """The browser of the machine."""
    return require(CHROMIUM)


def _strict() -> bool:
    return os.environ.get(STRICT) == "1"


def _reason(skipped: object) -> str:
    # pytest describes a skip as (file, line, reason).
    reason = skipped[2] if isinstance(skipped, tuple) else skipped
    return f"{reason} (a failure because {STRICT}=1)"
