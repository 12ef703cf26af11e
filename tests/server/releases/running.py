"""Runs the programs of a release, whose source tree comes from the history of this repository, as processes."""

import io
import os
import subprocess
import sys
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import envparity_agent
import envparity_server
from tests.system.daemons import running, wait_until_ready
from tests.system.serving import answers, free_port

_REPOSITORY = Path(__file__).parents[3]
# release -> the file that was added right after it
_NEXT = {"0.1.0": "server/envparity_server/storage/migrations/versions/0002_history_decisions_access.py"}
_LONGEST_RUN = 120.0


def in_history() -> dict[str, str]:
    """The releases whose trees the history here still has, each with its commit; none in a shallow clone."""
    found = {release: _before(path) for release, path in _NEXT.items()}
    return {release: commit for release, commit in found.items() if commit}


def _before(path: str) -> str:
    """The commit before the one that added a file; empty where the history does not tell."""
    added = _git("log", "--diff-filter=A", "--format=%H", "--", path).splitlines()
    return _git("rev-parse", "--verify", "--quiet", f"{added[-1]}^").strip() if added else ""


def _git(*arguments: str) -> str:
    try:
        asked = subprocess.run(["git", *arguments], cwd=_REPOSITORY, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return asked.stdout if asked.returncode == 0 else ""


@dataclass(frozen=True)
class Programs:
    """The agent and the server of one source tree."""

    path: str  # as PYTHONPATH has it

    def agent(self, *arguments: str | Path, **settings: str) -> str:
        """Run `envparity agent` to its end; returns what it printed."""
        return self._run("from envparity_agent.cli_agent import agent as app; app()", arguments, settings)

    def server(self, *arguments: str | Path, **settings: str) -> str:
        """Run `envparity server` to its end; returns what it printed."""
        return self._run("from envparity_server.cli.server import app; app()", arguments, settings)

    def _run(self, code: str, arguments: tuple[str | Path, ...], settings: Mapping[str, str]) -> str:
        command = [sys.executable, "-c", code, *map(str, arguments)]
        ended = subprocess.run(
            command, env=self._environment(settings), capture_output=True, text=True, timeout=_LONGEST_RUN, check=False
        )
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    def _environment(self, settings: Mapping[str, str]) -> dict[str, str]:
        own = {f"ENVPARITY_{name.upper()}": value for name, value in settings.items()}
        return {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "LC_ALL": "C.UTF-8", "PYTHONPATH": self.path, **own}

    @contextmanager
    def serving(self, home: Path) -> Iterator["Serving"]:
        """A server on a fresh SQLite database, for as long as the context lasts."""
        url = f"sqlite:///{home / 'server.db'}"
        self.server("migrate", database_url=url)
        port, log = free_port(), home / "server.log"
        variables = [f"{name}={value}" for name, value in self._environment({"database_url": url}).items()]
        code = "from envparity_server.cli.server import app; app()"
        command = ("env", *variables, sys.executable, "-c", code, "run", "--port", str(port))
        with running(command, log) as process:
            wait_until_ready("envparity server", process, log, lambda: answers(port))
            yield Serving(self, f"http://127.0.0.1:{port}", url)


@dataclass(frozen=True)
class Serving:
    """A server that runs."""

    programs: Programs
    address: str
    database_url: str

    def token(self, *kind: str) -> str:
        """A token of it."""
        return self.programs.server("token", *kind, database_url=self.database_url).strip()

    def enrol(self, agent: Programs, name: str, root: Path, state: Path) -> None:
        """Enrol a root directory by an agent of any release."""
        token = self.token("enrol", "--environment", "prod")
        place = ("--server", self.address, "--root", root, "--name", name, "--state", state)
        agent.agent("enroll", *place, token=token)


def present() -> Programs:
    """The programs of this tree."""
    trees = dict.fromkeys(str(Path(one.__path__[0]).parent) for one in (envparity_agent, envparity_server))
    return Programs(os.pathsep.join(trees))


def unpacked(commit: str, place: Path) -> Programs:
    """The programs of a commit."""
    archive = subprocess.run(
        ["git", "archive", commit, "agent", "server"], cwd=_REPOSITORY, stdout=subprocess.PIPE, check=True
    )
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as tree:
        tree.extractall(place, filter="data")
    return Programs(f"{place / 'agent'}{os.pathsep}{place / 'server'}")
