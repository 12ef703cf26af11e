"""Checks the simulated hosts with the tools of Debian, pip and Docker, before anything is told about the product."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.system.commands import run_in_root
from tests.system.containers import WEB, WORKER, run_container
from tests.system.engines import Engine
from tests.system.fleet import SHOP_ENVIRONMENT, TOOLS_ENVIRONMENT, Fleet, Host
from tests.system.images import WORKER_PACKAGES, images_in
from tests.system.installs import PROBE
from tests.system.registry import Registry
from tests.system.workspaces import mounts_below

pytestmark = pytest.mark.system

Engines = dict[str, Engine]


def debian_packages(host: Host) -> set[str]:
    """Ask the host's own dpkg."""
    return set(run_in_root(host.root, "dpkg-query", "--show").splitlines())


def python_packages(host: Host, environment: str) -> set[str]:
    """Ask the pip of an environment."""
    pip = (f"{environment}/bin/python", "-B", "-m", "pip", "list", "--format=freeze")
    return set(run_in_root(host.root, *pip).split())


def recorded_hashes(host: Host, package: str) -> dict[str, str]:
    """Read the content hashes that pip wrote down when it installed a package of the shop."""
    [record] = (host.root / SHOP_ENVIRONMENT.lstrip("/")).glob(f"lib/*/site-packages/{package}-*.dist-info/RECORD")
    with record.open(newline="") as lines:
        return {path: content_hash for path, content_hash, _ in csv.reader(lines)}


def image_of(engine: Engine, container: str) -> str:
    """Ask the engine for the image that a container runs."""
    return engine.docker("inspect", "--format", "{{.Image}}", container).strip()


def published_digests(engine: Engine, container: str) -> list[str]:
    """Ask the engine for the digests by which the registry knows the image of a container."""
    image = image_of(engine, container)
    digests: list[str] = json.loads(engine.docker("image", "inspect", "--format", "{{json .RepoDigests}}", image))
    return digests


def test_the_twin_has_the_packages_of_prod(fleet: Fleet) -> None:
    assert debian_packages(fleet.twin) == debian_packages(fleet.prod)
    for environment in (SHOP_ENVIRONMENT, TOOLS_ENVIRONMENT):
        assert python_packages(fleet.twin, environment) == python_packages(fleet.prod, environment)


def test_dev_has_another_version_of_one_debian_package(fleet: Fleet) -> None:
    assert debian_packages(fleet.dev) ^ debian_packages(fleet.prod) == {f"{PROBE}\t1.0", f"{PROBE}\t1.1"}


def test_dev_has_two_other_packages_in_the_shop(fleet: Fleet) -> None:
    differing = python_packages(fleet.dev, SHOP_ENVIRONMENT) ^ python_packages(fleet.prod, SHOP_ENVIRONMENT)
    assert differing == {"idna==3.7", "idna==3.4", "tabulate==0.9.0"}
    assert python_packages(fleet.dev, TOOLS_ENVIRONMENT) == python_packages(fleet.prod, TOOLS_ENVIRONMENT)


def test_only_dev_compiled_markupsafe_itself(fleet: Fleet) -> None:
    prod, twin, dev = (recorded_hashes(host, "[Mm]arkup[Ss]afe") for host in (fleet.prod, fleet.twin, fleet.dev))
    [extension] = [path for path in prod if path.endswith(".so")]
    assert prod[extension] == twin[extension]
    assert prod[extension] != dev[extension]
    assert prod["markupsafe/__init__.py"] == dev["markupsafe/__init__.py"]


@pytest.mark.parametrize("release", ["bullseye", "trixie"])
def test_the_other_releases_have_the_shop_too(fleet: Fleet, release: str) -> None:
    host = next(host for host in fleet.hosts if host.name == release)
    assert {"idna==3.7", "requests==2.32.3"} <= python_packages(host, SHOP_ENVIRONMENT)
    assert host.docker is None


@pytest.mark.usefixtures("fleet")
def test_only_dev_pulled_the_moved_tag(engines: Engines) -> None:
    assert image_of(engines["prod"], WEB) == image_of(engines["twin"], WEB)
    assert image_of(engines["prod"], WEB) != image_of(engines["dev"], WEB)
    names = {name: engines[name].docker("inspect", "--format", "{{.Config.Image}}", WEB) for name in engines}
    assert len(set(names.values())) == 1


@pytest.mark.usefixtures("fleet")
def test_the_worker_runs_the_same_image_everywhere(engines: Engines) -> None:
    for ask in (image_of, published_digests):
        prod, twin, dev = (ask(engines[name], WORKER) for name in ("prod", "twin", "dev"))
        assert prod == twin == dev


@pytest.mark.usefixtures("fleet")
def test_only_the_worker_of_dev_was_changed(engines: Engines) -> None:
    changed = {
        (name, container): engines[name].docker("diff", container) for name in engines for container in (WEB, WORKER)
    }
    assert {place for place, lines in changed.items() if lines} == {("dev", WORKER)}
    added = {line.split()[1] for line in changed["dev", WORKER].splitlines() if line.startswith("A ")}
    topmost = {path for path in added if str(Path(path).parent) not in added}
    assert topmost == {f"{WORKER_PACKAGES}/six.py", f"{WORKER_PACKAGES}/six-1.17.0.dist-info"}


def test_no_mount_is_left_in_a_root(fleet: Fleet) -> None:
    assert [point for host in fleet.hosts for point in mounts_below(host.root)] == []


@pytest.mark.usefixtures("fleet")
def test_a_killed_engine_starts_again_with_its_container(
    registry: Registry, fresh_engine: Callable[[], Engine]
) -> None:
    engine = fresh_engine()
    image = images_in(registry).worker
    engine.docker("pull", "--quiet", image)
    run_container(engine, "survivor", image)
    engine.kill()
    assert not engine.answers()
    engine.start()
    assert "survivor" in engine.docker("ps", "--all", "--format", "{{.Names}}")
    engine.kill()
