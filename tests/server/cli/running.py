"""Runs `envparity` as a person does, with a home and settings that are the test's."""

import sys
from collections.abc import Mapping
from pathlib import Path

from tests import forking
from tests.forking import Ended


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
    return forking.envparity(
        *arguments, environment=environment(home, more), standard_input=standard_input, directory=home
    )
