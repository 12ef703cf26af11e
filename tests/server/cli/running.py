"""Runs `envparity` in a process of its own, with a home and settings that are the test's."""

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from envparity_agent.canonical import decode

PROGRAM = Path(sys.executable).with_name("envparity")
LONGEST_RUN = 120.0


@dataclass(frozen=True)
class Ended:
    """How a run ended, and what it printed."""

    exit_code: int
    output: str
    complaint: str

    @property
    def document(self) -> Any:
        """The output as strict JSON."""
        return decode(self.output.encode())


def environment(home: Path, more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Nothing of the caller's environment but where programs are, and how Python finds this project."""
    return {
        "PATH": "/usr/bin:/bin",
        "HOME": str(home),
        "LC_ALL": "C.UTF-8",
        "PYTHONPATH": ":".join(path for path in sys.path if path),
        "ENVPARITY_SERVER_CONFIG": str(_empty(home)),
        **(more or {}),
    }


def _empty(home: Path) -> Path:
    path = home / "server.toml"
    path.touch()
    return path


def envparity(home: Path, *arguments: str | Path, standard_input: str = "", **more: str) -> Ended:
    """Run the command in a directory."""
    if not PROGRAM.exists():
        pytest.skip("the program envparity is missing: pip install -e .")
    ended = subprocess.run(
        [PROGRAM, *arguments],
        capture_output=True,
        text=True,
        input=standard_input,
        timeout=LONGEST_RUN,
        env=environment(home, more),
        cwd=home,
        check=False,
    )
    return Ended(ended.returncode, ended.stdout, ended.stderr)
