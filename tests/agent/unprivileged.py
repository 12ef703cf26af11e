"""Runs a piece of Python as a user who may not read everything, also where the tests run as root."""

import subprocess
import sys
from pathlib import Path

# all is imported and the root is opened first: the directories above them may be closed to anybody else
_BEGINNING = """
import os, sys
from envparity_agent.collectors.code.git import checkout
from envparity_agent.collectors.containers.engine import connect, locate
from envparity_agent.collectors.interface import Subject
from envparity_agent.fingerprint import Target
from envparity_agent.root import Root
from envparity_agent.survey import survey

root = Root(sys.argv[1])
if os.geteuid() == 0:
    os.seteuid(65534)
"""


def told_without_privileges(root: Path, script: str) -> str:
    """Return what a script prints that has an open `root` and no privileges."""
    ended = subprocess.run(
        (sys.executable, "-c", f"{_BEGINNING}{script}", root), capture_output=True, text=True, check=False, timeout=60
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.strip()
