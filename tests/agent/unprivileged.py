"""Runs a piece of Python as a user who may not read everything, also where the tests run as root."""

import subprocess
import sys
from pathlib import Path

# the root is opened first: the directories above it may be closed to anybody else
_BEGINNING = """
import json, os, sys
from envparity_agent.root import Root

root = Root(sys.argv[1])
if os.geteuid() == 0:
    os.seteuid(65534)
"""


def told_without_privileges(root: Path, script: str) -> str:
    """Return what a script prints that has an open `root` and no privileges."""
    ended = subprocess.run(
        (sys.executable, "-c", f"{_BEGINNING}{script}", root), capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.strip()
