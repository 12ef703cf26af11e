"""Builds a wheel by hand and installs it for real, by pip and by uv where there is one."""

import subprocess
import sys
import zipfile
from pathlib import Path
from shutil import which

from tests.agent.trees import record

_FILES = {
    "shop/__init__.py": "def main() -> None:\n    pass\n",
    "shop/data.txt": "data\n",
    "shop-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: Shop\nVersion: 1.0\n\nWords.\n",
    "shop-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: hand\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    "shop-1.0.dist-info/entry_points.txt": "[console_scripts]\nshop = shop:main\n",
}


def wheel(place: Path, data: str = "data\n") -> Path:
    """A wheel with one package, one data file and a console script; always of the same version."""
    place.mkdir()
    contents = {path: text.encode() for path, text in {**_FILES, "shop/data.txt": data}.items()}
    with zipfile.ZipFile(place / "shop-1.0-py3-none-any.whl", "w") as archive:
        for path, content in contents.items():
            archive.writestr(path, content)
        archive.writestr("shop-1.0.dist-info/RECORD", record(contents, "shop-1.0.dist-info/RECORD"))
    return place / "shop-1.0-py3-none-any.whl"


def pip_environment(place: Path) -> Path:
    """A virtual environment that brings pip."""
    _run(sys.executable, "-m", "venv", place)
    return place


def bare_environment(place: Path) -> Path:
    """A virtual environment without pip."""
    _run(sys.executable, "-m", "venv", "--without-pip", place)
    return place


def pip_install(pip: Path, into: Path, *what: str | Path) -> None:
    """Install without an index, by the pip of one environment into another, as if from there."""
    _run(
        *(pip / "bin/python", "-m", "pip", "--python", into / "bin/python", "install", "--quiet", "--no-index"),
        *("--no-build-isolation", "--no-deps", "--disable-pip-version-check", *what),
    )


def uv_installed(place: Path, what: Path) -> Path | None:
    """A virtual environment that uv made, with the wheel that uv installed; None on a machine without uv."""
    uv = which("uv")
    if uv is None:
        return None
    _run(uv, "venv", "--quiet", "--offline", "--no-config", "--python", sys.executable, place)
    _run(
        *(uv, "pip", "install", "--quiet", "--offline", "--no-config", "--no-cache", "--no-index"),
        *("--python", place / "bin/python", what),
    )
    return place


def _run(*command: str | Path) -> None:
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
