"""Python environments of many distributions, with metadata as large as that of real ones."""

import os
import subprocess
import sys
from pathlib import Path

from tests.agent.trees import put, record

FILES = 60  # rows of RECORD
_DESCRIPTION = "Words that a real description has, and that nobody has to read here.\n" * 120


def filled_venv(place: Path, distributions: int, first: int = 0) -> Path:
    """A real venv with so many distributions, whose names go on from `first`."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", place], check=True)
    [site] = place.glob("lib/python*/site-packages")
    for number in range(first, first + distributions):
        _install(site, f"package-{number:04}", f"1.{number}.0", requires=f"package-{max(number - 1, first):04}")
    return place


def _install(site: Path, name: str, version: str, requires: str) -> None:
    module = name.replace("-", "_")
    folder = f"{module}-{version}.dist-info"
    files = {f"{module}/module{number}.py": f"{name} {number}\n".encode() for number in range(FILES)}
    headers = "".join(f"Classifier: Topic :: Number {number}\n" for number in range(20))
    named = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    files[f"{folder}/METADATA"] = f"{named}{headers}Requires-Dist: {requires}>=1\n\n{_DESCRIPTION}".encode()
    files[f"{folder}/WHEEL"] = b"Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    files[f"{folder}/INSTALLER"] = b"uv\n"
    os.mkdir(site / module)
    for path, content in files.items():
        if not path.startswith(module + "/module") or path.endswith("module0.py"):  # the others are only listed
            put(site, path, content)
    put(site, f"{folder}/RECORD", record(files, f"{folder}/RECORD"))
