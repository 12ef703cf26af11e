"""Makes the images of the fleet from a Debian root and publishes them in the registry."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.system.engines import Engine
from tests.system.registry import Registry

WORKER_ENVIRONMENT = "/opt/worker/.venv"
WORKER_PACKAGES = f"{WORKER_ENVIRONMENT}/lib/python3.11/site-packages"
SLEEP = 'CMD ["sleep", "infinity"]'
# What no test looks at and every engine would have to unpack.
LEFT_OUT = (
    "./usr/share/doc/*",
    "./usr/share/locale/*",
    "./usr/share/man/*",
    "./var/cache/apt/*",
    "./var/lib/apt/lists/*",
)

BASE = "debian-python:bookworm"
# The engine mounts the init of a container here; a mount point that is there already leaves no trace in the layer.
WORKER_RECIPE = f"FROM {BASE}\nRUN touch /sbin/docker-init && python3 -m venv {WORKER_ENVIRONMENT}\n"
SHOP_RECIPE = "FROM {worker}\nRUN echo {release} > /srv/release\n"


@dataclass(frozen=True)
class Images:
    """The names by which the containers of the fleet ask for their images."""

    shop: str
    worker: str


def images_in(registry: Registry) -> Images:
    """Return the names of the images, published or not."""
    return Images(shop=registry.reference("shop", "1"), worker=registry.reference("worker", "1"))


def publish_worker(builder: Engine, images: Images, root: Path) -> None:
    """Publish the image of the worker: the Debian root and a virtual environment with pip."""
    import_root(builder, root)
    build(builder, images.worker, WORKER_RECIPE)
    builder.docker("push", "--quiet", images.worker)


def publish_shop(builder: Engine, images: Images, release: int) -> None:
    """Publish a release of the shop, always under the same tag."""
    build(builder, images.shop, SHOP_RECIPE.format(worker=images.worker, release=release))
    builder.docker("push", "--quiet", images.shop)


def import_root(builder: Engine, root: Path) -> None:
    """Make an image of one layer from a root."""
    excluded = [f"--exclude={pattern}" for pattern in LEFT_OUT]
    with subprocess.Popen(["tar", *excluded, "-C", root, "-c", "."], stdout=subprocess.PIPE) as tar:
        builder.docker("import", "--change", SLEEP, "-", BASE, standard_input=tar.stdout)
    if tar.returncode != 0:
        raise OSError(f"tar ended with {tar.returncode} on {root}")


def build(builder: Engine, name: str, recipe: str) -> None:
    """Build an image that needs no files and no network."""
    builder.docker("build", "--network", "none", "--tag", name, "-", standard_input=recipe.encode())
