"""Makes environments with the real tools, each step as a person would type it."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.environments.artifacts import wheel
from tests.system.commands import run

_QUIET = {
    "PATH": os.environ.get("PATH", os.defpath),
    "LC_ALL": "C.UTF-8",
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    "PIP_NO_INDEX": "1",
    "PIP_CONFIG_FILE": os.devnull,
    "UV_OFFLINE": "1",
    "UV_NO_CONFIG": "1",
    "UV_NO_CACHE": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
}


@dataclass(frozen=True)
class Workshop:
    """Where one environment is made: `home` is the home directory of whoever makes it."""

    home: Path

    @property
    def venv(self) -> Path:
        """Where most environments lie."""
        return self.home / "app/.venv"

    def run(self, *command: str | Path, environment: Mapping[str, str] | None = None, cwd: Path | None = None) -> str:
        """Run a tool with nothing of the caller's settings."""
        self.home.mkdir(parents=True, exist_ok=True)
        ended = subprocess.run(
            command,
            cwd=cwd or self.home,
            env={**_QUIET, "HOME": str(self.home), "TMPDIR": str(self.home), **(environment or {})},
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == 0, f"{command}\n{ended.stdout}{ended.stderr}"
        return ended.stdout

    def wheel(self, name: str, version: str = "1.0", **more: object) -> Path:
        """A wheel in this workshop."""
        return wheel(self.home / "wheels", name, version, **more)  # type: ignore[arg-type]  # as `wheel` declares them

    def by_venv(self, *options: str, place: Path | None = None) -> Path:
        """An environment of the standard library's venv, without pip."""
        made = place or self.venv
        self.run(sys.executable, "-m", "venv", "--without-pip", *options, made)
        return made

    def by_uv(self, place: Path | None = None) -> Path:
        """An environment of uv."""
        made = place or self.venv
        self.run(uv(), "venv", "--quiet", "--python", sys.executable, made)
        return made

    def pip(self, into: Path, *what: str | Path) -> None:
        """Install by pip."""
        python = into / "bin/python"
        self.run(sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--find-links", "wheels", *what)

    def uv_pip(self, into: Path, *what: str | Path) -> None:
        """Install by uv."""
        python = into / "bin/python"
        found = ("--no-index", "--find-links", "wheels")
        self.run(uv(), "pip", "install", "--quiet", *found, "--python", python, *what)

    def site(self, environment: Path | None = None) -> Path:
        """The site directory of an environment."""
        [found] = (environment or self.venv).glob("lib/python*/site-packages")
        return found

    def git(self, directory: Path, *command: str) -> str:
        """Run git in a directory, with an author and times that are always the same."""
        who = {f"GIT_{role}_{what}": value for role in ("AUTHOR", "COMMITTER") for what, value in _WHO.items()}
        return self.run("git", "-c", "init.defaultBranch=main", *command, environment=who, cwd=directory)

    def committed(self, directory: Path) -> Path:
        """Make a directory a repository with one commit of all that is in it."""
        self.git(directory, "init", "--quiet")
        self.git(directory, "add", "--all")
        self.git(directory, "commit", "--quiet", "--message", "First")
        return directory


_WHO = {"NAME": "Ann", "EMAIL": "ann@example.org", "DATE": "2026-11-01T12:00:00Z"}


def uv() -> Path:
    """The program uv of the environment that the tests run in."""
    return Path(sys.executable).with_name("uv")


def chroot(root: Path, *command: str) -> str:
    """Run a program of a root directory inside it."""
    return run("chroot", root, *command, environment={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root"})
