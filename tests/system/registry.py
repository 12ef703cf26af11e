"""A registry of container images on the loopback interface."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from tests.system.components import DOCKER_REGISTRY, require
from tests.system.daemons import running, wait_until_ready

CONFIGURATION = """\
version: 0.1
storage:
  filesystem:
    rootdirectory: {storage}
http:
  addr: {address}
"""


@dataclass(frozen=True)
class Registry:
    """A running registry."""

    address: str

    def reference(self, repository: str, tag: str) -> str:
        """Return the name by which an engine pushes and pulls an image."""
        return f"{self.address}/{repository}:{tag}"


@contextmanager
def started_registry(home: Path) -> Iterator[Registry]:
    """Run Debian's docker-registry with its storage in the directory."""
    registry = Registry(f"127.0.0.1:{free_port()}")
    home.mkdir()
    configuration = home / "config.yml"
    configuration.write_text(CONFIGURATION.format(storage=home / "storage", address=registry.address))
    command = (require(DOCKER_REGISTRY), "serve", configuration)
    with running(command, home / "log") as process:
        wait_until_ready("docker-registry", process, home / "log", lambda: answers(registry))
        yield registry


def answers(registry: Registry) -> bool:
    """Say whether the registry takes requests."""
    try:
        with urlopen(f"http://{registry.address}/v2/", timeout=5) as response:
            return bool(response.status == 200)
    except (URLError, OSError):
        return False


def free_port() -> int:
    """Return a port of the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
