"""A real central server in a process of its own, and the command `envparity` as a person runs it."""

import socket
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from envparity_server.jobs import JOBS
from envparity_server.settings import DEFAULTS
from envparity_server.storage.database import open_database
from tests import forking
from tests.forking import LONGEST_RUN, PROGRAM, Ended
from tests.system.daemons import running, wait_until_ready
from tests.system.fleet import Host


def envparity(
    *arguments: str | Path, environment: Mapping[str, str] | None = None, through: Sequence[str] = ()
) -> Ended:
    """Run the command with nothing of the caller's settings but what is given, started by another program if one is."""
    settings = {"PATH": "/usr/bin:/bin", "HOME": "/root", "LC_ALL": "C.UTF-8", **(environment or {})}
    if not through:
        return forking.envparity(*arguments, environment=settings)
    ended = subprocess.run(
        [*through, PROGRAM, *arguments],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=LONGEST_RUN,
        env=settings,
        check=False,
    )
    return Ended(ended.returncode, ended.stdout, ended.stderr)


@dataclass(frozen=True)
class Served:
    """A running server: its address, its database, and a directory for the agents' settings and states."""

    address: str
    database_url: str
    home: Path
    registries: tuple[str, ...] = ()  # that it asks where tags point

    @property
    def keyed(self) -> Mapping[str, str]:
        """The settings of all agents here: they hash the values that they do not tell under one key."""
        return {"ENVPARITY_CONFIG": str(self.home / "agent.toml")}

    def token(self, *arguments: str) -> str:
        """A new token, made as an operator makes one."""
        made = envparity("server", "token", *arguments, environment={"ENVPARITY_DATABASE_URL": self.database_url})
        assert made.exit_code == 0, made.complaint
        return made.output.strip()

    def login(self) -> str:
        """A one-time code for the dashboard."""
        made = envparity("server", "login", environment={"ENVPARITY_DATABASE_URL": self.database_url})
        assert made.exit_code == 0, made.complaint
        return made.output.strip()

    def add_person(self, name: str, role: str, password: str) -> None:
        """Let somebody log in."""
        secret = self.home / "password"
        secret.touch(0o600)
        secret.write_text(password)
        added = envparity(
            "server", "user", "add", name, "--role", role, "--password-file", secret,
            environment={"ENVPARITY_DATABASE_URL": self.database_url},
        )  # fmt: skip
        assert added.exit_code == 0, added.complaint

    def ask(self, *arguments: str | Path, token: str, settings: Mapping[str, str] | None = None) -> Ended:
        """Run a verb that asks this server, with a token from the environment; with the agents' settings by default."""
        asking = {"ENVPARITY_SERVER": self.address, "ENVPARITY_TOKEN": token}
        return envparity(*arguments, environment={**asking, **(self.keyed if settings is None else settings)})

    def state(self, host: Host) -> Path:
        """Where the agent of a host keeps its state."""
        return self.home / f"agent-{host.name}"

    def enrol(self, host: Host) -> Ended:
        """Enrol a simulated host by its own token."""
        token = self.token("enrol", "--environment", host.environment)
        docker = ["--docker", host.docker] if host.docker else []
        return envparity(
            "agent", "enroll", "--server", self.address, "--root", host.root, *docker, "--name", host.name,
            "--state", self.state(host), environment={"ENVPARITY_TOKEN": token},
        )  # fmt: skip

    def report(self, host: Host) -> Ended:
        """Have the agent of a host report once."""
        return envparity("agent", "once", "--json", "--state", self.state(host), environment=self.keyed)

    def join(self, host: Host) -> None:
        """Enrol a simulated host, and have it report."""
        for ended in (self.enrol(host), self.report(host)):
            assert ended.exit_code == 0, ended.complaint

    def run_job(self, name: str) -> None:
        """Do at once what the server does by itself every few minutes."""
        [job] = [one for one in JOBS if one.name == name]
        engine = open_database(self.database_url)
        settings = DEFAULTS.model_copy(update={"registries": self.registries})
        with ThreadPoolExecutor(1) as pool:  # the driver of a browser has the event loop of the caller's thread
            pool.submit(job.run, engine, settings, datetime.now(UTC)).result()
        engine.dispose()


def make_key(home: Path) -> None:
    """Make the agents' key, and the settings that name it."""
    made = envparity("agent", "key")
    assert made.exit_code == 0, made.complaint
    key = home / "key"
    key.touch(0o600)
    key.write_text(made.output)
    (home / "agent.toml").write_text(f'key_file = "{key}"\n')


def free_port() -> int:
    """A port of the loopback interface that nobody uses now."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


def answers(port: int) -> bool:
    """Whether somebody listens on a port of the loopback interface."""
    with socket.socket() as asking:
        return asking.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def served(home: Path, database_url: str, registries: tuple[str, ...] = ()) -> Iterator[Served]:
    """Migrate a database and serve it for as long as the context lasts."""
    environment = {"ENVPARITY_DATABASE_URL": database_url}
    made = envparity("server", "migrate", environment=environment)
    assert made.exit_code == 0, made.complaint
    make_key(home)
    port, log = free_port(), home / "server.log"
    command: list[str | Path] = [
        "env",
        f"ENVPARITY_DATABASE_URL={database_url}",
        f"ENVPARITY_REGISTRIES={','.join(registries)}",
        PROGRAM,
        "server",
        "run",
        "--port",
        str(port),
    ]
    with running(command, log) as process:
        wait_until_ready("envparity server", process, log, lambda: answers(port))
        yield Served(f"http://127.0.0.1:{port}", database_url, home, registries)
