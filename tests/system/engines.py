"""Docker engines, each with data, state and a socket of its own, without any network."""

import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from tests.system.commands import CommandError, run
from tests.system.components import DOCKER_CLIENT, DOCKER_ENGINE, require
from tests.system.daemons import end, start, wait_until_ready
from tests.system.workspaces import workspace


@dataclass
class Engine:
    """A Docker engine of a simulated host, which can be stopped, killed and started again."""

    home: Path
    registry: str
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def socket(self) -> Path:
        """The Unix socket that the engine listens on."""
        return self.home / "docker.sock"

    @property
    def url(self) -> str:
        """The address of the engine as a Docker client takes it."""
        return f"unix://{self.socket}"

    def launch(self) -> None:
        """Start the engine without waiting for it."""
        self.home.mkdir(exist_ok=True)
        self.process = start(self._command(), self.home / "log")

    def wait(self) -> None:
        """Wait until the launched engine answers."""
        assert self.process is not None
        wait_until_ready("dockerd", self.process, self.home / "log", self.answers)

    def start(self) -> None:
        """Start the engine and wait until it answers."""
        self.launch()
        self.wait()

    def stop(self) -> None:
        """Stop the engine and, as dockerd does, its containers; they are kept."""
        assert self.process is not None
        end(self.process)
        self.process = None

    def kill(self) -> None:
        """Take the engine away at once, as a crash would; its containers run on without it."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()
        self.process = None
        # The kernel ends its containerd with it. The next engine would take the number of either for a sign of life
        # if another process had it by then, or if containerd were not reaped yet.
        for noted in (self.home / "pid", self.home / "exec" / "containerd" / "containerd.pid"):
            noted.unlink(missing_ok=True)

    def remove(self) -> None:
        """Remove all containers and stop the engine, if it was ever started.

        A killed engine is started once more, because only an engine ends the containers that its predecessor left.
        """
        if not self.home.exists():
            return
        if self.process is None or self.process.poll() is not None:
            self.start()
        containers = self.docker("ps", "--all", "--quiet").split()
        if containers:
            self.docker("rm", "--force", *containers)
        self.stop()

    def answers(self) -> bool:
        """Say whether the engine takes requests."""
        try:
            self.docker("version")
        except CommandError:
            return False
        return True

    def docker(self, *arguments: str, standard_input: bytes | IO[bytes] | None = None) -> str:
        """Run the Docker client against this engine and return what it printed."""
        client = require(DOCKER_CLIENT)
        return run(
            client, "--host", self.url, *arguments, environment=self._environment(), standard_input=standard_input
        )

    def _command(self) -> list[str | Path]:
        return [
            *(require(DOCKER_ENGINE), "--host", self.url, "--pidfile", self.home / "pid"),
            *("--data-root", self.home / "data", "--exec-root", self.home / "exec"),
            *("--iptables=false", "--bridge=none", "--ip-forward=false", "--ip-masq=false"),
            *("--insecure-registry", self.registry),
        ]

    def _environment(self) -> Mapping[str, str]:
        # Neither the contexts nor the logins of the user; and the classic builder, which needs no plug-in.
        own = {"DOCKER_CONFIG": str(self.home / "client"), "DOCKER_BUILDKIT": "0"}
        return {name: value for name, value in os.environ.items() if not name.startswith("DOCKER_")} | own


@contextmanager
def removed_at_the_end(engine: Engine) -> Iterator[Engine]:
    """Give an engine that is not started yet, and remove whatever became of it."""
    try:
        yield engine
    finally:
        engine.remove()


@contextmanager
def started_engines(names: Sequence[str], registry: str) -> Iterator[dict[str, Engine]]:
    """Run several engines, which start side by side and keep everything below one temporary directory."""
    with workspace("engines") as home, ExitStack() as stack:
        engines = {name: stack.enter_context(removed_at_the_end(Engine(home / name, registry))) for name in names}
        for engine in engines.values():
            engine.launch()
        for engine in engines.values():
            engine.wait()
        yield engines
