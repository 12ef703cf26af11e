"""What a person waits for who asks why something fails: two real environments of 300 packages, of which 20 differ."""

import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from random import Random
from statistics import median

from tests.performance.measuring import Figure

PACKAGES, DIFFERING = 300, 20
ROUNDS = 3
AIM = 5.0  # seconds
SEED = 20261130
BEFORE = "2026-03-01"  # how the one side has those that differ
# what brings more than 300 distributions with it
_ASKED = (
    "aiohttp", "azure-identity", "azure-storage-blob", "beautifulsoup4", "black", "boto3", "celery[redis]",
    "dask[distributed]", "django", "djangorestframework", "docker", "fabric", "fastapi[standard]", "flask",
    "google-cloud-bigquery", "google-cloud-storage", "gunicorn", "httpx", "jupyterlab", "kubernetes", "matplotlib",
    "mkdocs-material", "mlflow", "mypy", "networkx", "nltk", "openpyxl", "pandas", "paramiko", "plotly",
    "psycopg2-binary", "pymongo", "pytest", "reportlab", "scikit-learn", "scipy", "scrapy", "selenium", "sentry-sdk",
    "spacy", "sphinx", "statsmodels", "streamlit", "sympy", "tornado", "twisted",
)  # fmt: skip
_ENVPARITY = Path(sys.executable).with_name("envparity")
_UV = (sys.executable, "-m", "uv")


def explaining(home: Path) -> Iterator[Figure]:
    """Seconds on the clock of the whole command, which keeps nothing from one run to the next."""
    home.mkdir(parents=True)
    newer, older = _resolved(home), _resolved(home, "--exclude-newer", BEFORE)
    random = Random(SEED)
    moved = set(random.sample(sorted(name for name in newer if older.get(name, newer[name]) != newer[name]), DIFFERING))
    kept = {*moved, *random.sample(sorted(newer.keys() - moved), PACKAGES - DIFFERING)}
    good = _environment(home / "good", {name: newer[name] for name in kept})
    bad = _environment(home / "bad", {name: older[name] if name in moved else newer[name] for name in kept})
    taken = [_seconds(good, bad) for _ in range(ROUNDS)]
    yield Figure(f"explain {PACKAGES} packages, of which {DIFFERING} differ", median(taken), "s", aim=AIM)


def _resolved(home: Path, *how: str) -> Mapping[str, str]:
    """Name -> version of all that is asked for, with what that requires."""
    asked = home / "asked.txt"
    asked.write_text("".join(f"{one}\n" for one in _ASKED))
    command = [*_UV, "pip", "compile", "--quiet", "--no-header", "--no-annotate", *how, str(asked)]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    return dict(line.split("==") for line in lines if "==" in line)


def _environment(place: Path, packages: Mapping[str, str]) -> Path:
    listed = place.with_suffix(".txt")
    listed.write_text("".join(f"{name}=={version}\n" for name, version in sorted(packages.items())))
    subprocess.run([*_UV, "venv", "--quiet", "--python", sys.executable, place], check=True)
    install = (*_UV, "pip", "install", "--quiet", "--no-deps", "--python", place / "bin/python", "-r", listed)
    subprocess.run(install, check=True)
    return place


def _seconds(good: Path, bad: Path) -> float:
    started = time.perf_counter()
    subprocess.run([_ENVPARITY, "explain", good, bad], check=True, capture_output=True)
    return time.perf_counter() - started
