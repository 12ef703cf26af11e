"""Runs the command line as a person does, in a process of its own."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

_PLAIN = "from envparity_agent.cli import main; main()"


def envparity(
    *arguments: str | Path, without: Sequence[str] = (), standard_input: str = "", **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run `envparity` with these arguments, on an install that lacks the modules that are named `without`."""
    lacking = f"import sys; sys.modules.update(dict.fromkeys({list(without)!r}))\n" if without else ""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ENVPARITY_", "DOCKER_"))}
    return subprocess.run(
        (sys.executable, "-c", f"{lacking}{_PLAIN}", *arguments),
        env={**kept, "ENVPARITY_CONFIG": os.devnull, "COLUMNS": "200", **variables},
        input=standard_input,
        capture_output=True,
        text=True,
        check=False,
    )
