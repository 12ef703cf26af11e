"""Makes real repositories with the real git, and asks it what the reader must find without it."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from envparity_agent.collectors.code.git import checkout
from envparity_agent.collectors.memory import Memory
from envparity_agent.fingerprint import Attributes
from envparity_agent.root import Root
from tests.agent.trees import put
from tests.system.components import GIT, require

# nothing of this machine's or this user's settings, and the same ids in every run
_ENVIRONMENT = {
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "Ann",
    "GIT_AUTHOR_EMAIL": "ann@example.org",
    "GIT_AUTHOR_DATE": "2026-11-01T02:00:00Z",
    "GIT_COMMITTER_NAME": "Ann",
    "GIT_COMMITTER_EMAIL": "ann@example.org",
    "GIT_COMMITTER_DATE": "2026-11-01T02:00:00Z",
}


@dataclass(frozen=True)
class Work:
    """A work tree below a root directory."""

    root: Path
    path: str = "srv/shop"

    @property
    def top(self) -> Path:
        return self.root / self.path

    def git(self, *words: str | Path, check: bool = True, given: bytes = b"") -> bytes:
        """What git prints."""
        ended = self._run(words, given)
        assert not check or ended.returncode == 0, ended.stderr.decode()
        return ended.stdout

    def refuses(self, *words: str | Path) -> bool:
        """Whether git ends with an error."""
        return self._run(words, b"").returncode != 0

    def _run(self, words: tuple[str | Path, ...], given: bytes) -> "subprocess.CompletedProcess[bytes]":
        environment = {"PATH": os.environ["PATH"], "HOME": os.fspath(self.root), **_ENVIRONMENT}
        command = (require(GIT), "-c", "protocol.file.allow=always", *words)
        return subprocess.run(
            command, cwd=self.top, env=environment, input=given, capture_output=True, check=False, timeout=60
        )

    def put(self, path: str, content: str | bytes) -> Path:
        return put(self.top, path, content)

    def commit(self, *paths: str) -> None:
        """Add all, or these, and commit."""
        self.git("add", *(paths or ("-A",)))
        self.git("commit", "-q", "--allow-empty", "-m", "a change")

    def settle(self) -> None:
        """Make the index so much younger than the files that times and size tell that they did not change."""
        for path in self.top.rglob("*"):
            if ".git" not in path.parts and not path.is_dir() and not path.is_symlink():
                os.utime(path, (1_600_000_000, 1_600_000_000))
        self.git("update-index", "-q", "--refresh", check=False)

    def head(self) -> str | None:
        """The commit that is checked out, as git says."""
        return self.git("rev-parse", "-q", "--verify", "HEAD", check=False).decode().strip() or None

    def is_dirty(self) -> bool:
        """Whether git finds changes."""
        return bool(self.git("status", "--porcelain"))

    def told(self, memory: Memory | None = None) -> tuple[Attributes, set[str]]:
        """What the reader says, and why not all."""
        reasons: set[str] = set()
        with Root(os.fspath(self.root)) as root:
            return checkout(root, self.path, memory or Memory(), reasons), reasons


def initialised(root: Path, *options: str) -> Work:
    """An empty repository."""
    work = Work(root)
    work.top.mkdir(parents=True)
    work.git("init", "-q", "-b", "main", *options)
    return work


def committed(root: Path, *options: str) -> Work:
    """A repository of one commit with files, a directory, a program and a symlink."""
    work = initialised(root, *options)
    work.put("shop.py", "print('shop')\n")
    work.put("lib/prices.py", "PRICE = 1\n")
    work.put("lib/deep/er/names.py", "NAMES = ()\n")
    work.put("run", "#!/bin/sh\n").chmod(0o755)
    work.put(".gitignore", "*.pyc\n/build/\n!kept.pyc\n")
    (work.top / "current").symlink_to("lib/prices.py")
    work.commit()
    return work
