"""The settings of the intake."""

import tomllib
from pathlib import Path


def settings(path: Path):
    return tomllib.loads(path.read_text())
