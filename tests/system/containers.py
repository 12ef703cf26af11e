"""The containers of a host, and what somebody did in one of them by hand."""

from pathlib import Path

from tests.system.engines import Engine
from tests.system.images import WORKER_ENVIRONMENT, Images

WEB = "web"
WORKER = "worker"
# A file system of its own in every container: what lies there does not touch the writable layer.
SCRATCH = "/dev/shm"  # noqa: S108


def run_containers(engine: Engine, images: Images) -> None:
    """Run both containers from images that the engine already has."""
    for name, image in ((WEB, images.shop), (WORKER, images.worker)):
        run_container(engine, name, image)


def run_container(engine: Engine, name: str, image: str) -> None:
    """Run a container without network; its init ends it as soon as it is told to stop."""
    engine.docker("run", "--detach", "--init", "--network", "none", "--restart", "no", "--name", name, image)


def patch_worker(engine: Engine, wheel: Path) -> None:
    """Install a wheel in the running worker, with no trace in the writable layer but the package itself."""
    lent = f"{SCRATCH}/{wheel.name}"
    pip = f"{WORKER_ENVIRONMENT}/bin/python -m pip install --quiet --no-index --no-cache-dir --no-compile"
    engine.docker(
        *("exec", "--interactive", "--env", f"TMPDIR={SCRATCH}", "--env", "PYTHONDONTWRITEBYTECODE=1", WORKER),
        *("sh", "-ec", f"cat > {lent}; {pip} {lent}; rm {lent}"),
        standard_input=wheel.read_bytes(),
    )
