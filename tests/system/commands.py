"""Runs the programs of the tests and keeps what a failed one said."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import IO

LONGEST_RUN = 600.0

# Nothing of the calling environment may reach a simulated host: pip and Python read dozens of variables.
CHROOT_ENVIRONMENT: Mapping[str, str] = {
    "DEBIAN_FRONTEND": "noninteractive",
    "HOME": "/root",
    "LC_ALL": "C.UTF-8",
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    "PIP_NO_CACHE_DIR": "1",
    "PIP_ROOT_USER_ACTION": "ignore",
}


class CommandError(Exception):
    """A program ended with another status than 0; the message has its command line and its output."""


def run(
    *command: str | Path,
    environment: Mapping[str, str] | None = None,
    standard_input: bytes | IO[bytes] | None = None,
    timeout: float = LONGEST_RUN,
) -> str:
    """Return what the program wrote to its standard output."""
    ended = subprocess.run(
        command,
        input=standard_input if isinstance(standard_input, bytes) else None,
        stdin=None if isinstance(standard_input, bytes) else standard_input or subprocess.DEVNULL,
        capture_output=True,
        env=dict(os.environ if environment is None else environment),
        timeout=timeout,
        check=False,
    )
    output = ended.stdout.decode(errors="replace")
    if ended.returncode != 0:
        complaint = ended.stderr.decode(errors="replace")
        raise CommandError(f"{' '.join(map(str, command))} ended with {ended.returncode}\n{output}{complaint}")
    return output


def run_in_root(root: Path, *command: str) -> str:
    """Run a program of the simulated host inside its own root directory."""
    return run("chroot", root, *command, environment=CHROOT_ENVIRONMENT)
