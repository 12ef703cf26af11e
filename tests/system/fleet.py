"""The simulated hosts, and what was planted on one of them."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.system import wheels as pins
from tests.system.containers import patch_worker, run_containers
from tests.system.engines import Engine, started_engines
from tests.system.images import WORKER_ENVIRONMENT, Images, images_in, publish_shop, publish_worker
from tests.system.installs import PROBE, install_packages, install_probe, make_environment
from tests.system.registry import Registry
from tests.system.roots import Roots, copy_root
from tests.system.wheels import Wheels, wheel_file

SHOP_ENVIRONMENT = "/srv/shop/.venv"
TOOLS_ENVIRONMENT = "/srv/tools/.venv"
HOSTS_WITH_DOCKER = ("prod", "twin", "dev")
BUILDER = "builder"
PROBE_VERSION = "1.0"
PROBE_VERSION_ON_DEV = "1.1"


@dataclass(frozen=True)
class Host:
    """A simulated host as an agent is told about it: a root directory, and an engine if it has one."""

    name: str
    environment: str
    root: Path
    docker: str | None


@dataclass(frozen=True)
class Fleet:
    """All hosts: `twin` equals `prod`, `dev` has the planted differences, the others are other releases."""

    prod: Host
    twin: Host
    dev: Host
    bullseye: Host
    trixie: Host

    @property
    def hosts(self) -> tuple[Host, ...]:
        """Every host."""
        return (self.prod, self.twin, self.dev, self.bullseye, self.trixie)


@dataclass(frozen=True)
class Planted:
    """One difference between prod and dev: where a comparison has to show it, and what was done."""

    section: str
    item: str
    what: str


PLANTED = (
    Planted("python/srv/shop/.venv", "idna", "another version"),
    Planted("python/srv/shop/.venv", "markupsafe", "the same version, compiled on the host instead of the wheel"),
    Planted("python/srv/shop/.venv", "tabulate", "a package only on dev"),
    Planted("os-packages", PROBE, "another version of a Debian package"),
    Planted("container/web", "image", "the tag was moved to another image before dev pulled it"),
    Planted(f"container/worker/python{WORKER_ENVIRONMENT}", "six", "a package installed by hand in the container"),
)


def build_fleet(home: Path, roots: Roots, wheels: Wheels, engines: Mapping[str, Engine], registry: Registry) -> Fleet:
    """Make all hosts; roots and containers do not depend on each other and are made side by side."""
    with ThreadPoolExecutor() as pool:
        made = [
            pool.submit(fill_engines, engines, registry, roots.bookworm, wheels),
            pool.submit(make_bookworm_roots, home, roots.bookworm, wheels),
            pool.submit(make_other_roots, home, roots, wheels),
        ]
        for part in made:
            part.result()

    def host(name: str) -> Host:
        return Host(name, name, home / name, engines[name].url if name in engines else None)

    return Fleet(host("prod"), host("twin"), host("dev"), host("bullseye"), host("trixie"))


def make_bookworm_roots(home: Path, pristine: Path, wheels: Wheels) -> None:
    """Make prod, and copy it: what is not planted is equal to the last byte."""
    prod = copy_root(pristine, home / "prod")
    make_environment(prod, SHOP_ENVIRONMENT, wheels.python_3_11, pins.SHOP)
    make_environment(prod, TOOLS_ENVIRONMENT, wheels.python_3_11, pins.TOOLS)
    install_probe(prod, PROBE_VERSION)
    copy_root(prod, home / "twin")
    plant_in_root(copy_root(prod, home / "dev"), wheels)


def plant_in_root(dev: Path, wheels: Wheels) -> None:
    """Plant the differences in packages."""
    install_packages(dev, SHOP_ENVIRONMENT, wheels.python_3_11, (pins.IDNA_ON_DEV, pins.ONLY_ON_DEV))
    install_packages(dev, SHOP_ENVIRONMENT, wheels.built, (pins.MARKUPSAFE,))
    install_probe(dev, PROBE_VERSION_ON_DEV)


def make_other_roots(home: Path, roots: Roots, wheels: Wheels) -> None:
    """Make the hosts of the other releases, with the shop in the wheels of their Python."""
    bullseye = copy_root(roots.bullseye, home / "bullseye")
    make_environment(bullseye, SHOP_ENVIRONMENT, wheels.python_3_9, pins.SHOP)
    trixie = copy_root(roots.trixie, home / "trixie")
    make_environment(trixie, SHOP_ENVIRONMENT, wheels.python_3_13, pins.SHOP_FOR_313)


def fill_engines(engines: Mapping[str, Engine], registry: Registry, root: Path, wheels: Wheels) -> None:
    """Publish the images and run the containers: dev pulls the shop after its tag was moved."""
    images = images_in(registry)
    with started_engines((BUILDER,), registry.address) as builders:
        builder = builders[BUILDER]
        publish_worker(builder, images, root)
        publish_shop(builder, images, release=1)
        pull_side_by_side([engines["prod"], engines["twin"]], images)
        publish_shop(builder, images, release=2)
    pull_side_by_side([engines["dev"]], images)
    for name in HOSTS_WITH_DOCKER:
        run_containers(engines[name], images)
    patch_worker(engines["dev"], wheel_file(wheels.python_3_11, pins.PATCHED_INTO_WORKER))


def pull_side_by_side(engines: list[Engine], images: Images) -> None:
    """Let every engine pull both images from the registry."""

    def pull(engine: Engine) -> None:
        for image in (images.worker, images.shop):
            engine.docker("pull", "--quiet", image)

    with ThreadPoolExecutor() as pool:
        list(pool.map(pull, engines))
