"""What a pipeline waits for: from an empty environment to the verdict on an environment of a hundred packages."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.performance.measuring import Figure
from tests.system.serving import Served, served

ROOT = Path(__file__).parents[2]
FEWEST = 100  # distributions that are judged
ROUNDS = 3
TOTAL_AIM, GATE_AIM = 15.0, 2.0  # seconds

_ENVPARITY = Path(sys.executable).with_name("envparity")
_PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check")


def gate(home: Path) -> Iterator[Figure]:
    """Seconds from `pip install` of the built wheel to the verdict, and those of the gate; the best of a few."""
    wheel = _built(home / "wheel")
    project = _of_many(home / "project")
    server_home = home / "server"
    server_home.mkdir()
    with served(server_home, f"sqlite:///{server_home / 'server.db'}") as server:
        _report(server, project)
        asking = {"ENVPARITY_SERVER": server.address, "ENVPARITY_TOKEN": server.token("ci")}
        rounds = [_once(home / f"empty-{number}", wheel, project, asking) for number in range(ROUNDS)]
    count = len(list(project.glob("lib/python*/site-packages/*.dist-info")))
    installed, judged = min(rounds, key=sum)
    yield Figure(
        f"pip install to the verdict on {count} packages, with a server", installed + judged, "s", aim=TOTAL_AIM
    )
    yield Figure("of that the gate", judged, "s", aim=GATE_AIM)


def _built(place: Path) -> Path:
    """The wheel that an index would have."""
    subprocess.run([*_PIP, "wheel", "--quiet", "--no-deps", "--wheel-dir", place, ROOT], check=True)
    [wheel] = place.glob("*.whl")
    return wheel


def _of_many(place: Path) -> Path:
    """A real environment: the one in which this project is developed."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", place], check=True)
    install = (*_PIP, "--python", place / "bin/python", "install", "--quiet")
    subprocess.run([*install, f"{ROOT}[server,dev]"], check=True)
    assert len(list(place.glob("lib/python*/site-packages/*.dist-info"))) >= FEWEST
    return place


def _report(server: Served, project: Path) -> None:
    """This host reports to prod, with the environment under a name of its own."""
    settings = server.home / "prod.toml"
    settings.write_text(f'[python]\nshop = "{project}"\n')
    state = ("--state", server.home / "state")
    environment = {**os.environ, "ENVPARITY_CONFIG": str(settings)}
    token = {"ENVPARITY_TOKEN": server.token("enrol", "--environment", "prod")}
    enrol = (_ENVPARITY, "agent", "enroll", "--server", server.address, *state)
    subprocess.run(enrol, check=True, stdout=subprocess.DEVNULL, env={**environment, **token})
    subprocess.run([_ENVPARITY, "agent", "once", *state], check=True, stdout=subprocess.DEVNULL, env=environment)


def _once(place: Path, wheel: Path, project: Path, asking: Mapping[str, str]) -> tuple[float, float]:
    """Seconds of the installation into an empty environment, and of the gate."""
    subprocess.run([sys.executable, "-m", "venv", place], check=True)
    install = (place / "bin/python", "-m", "pip", "--disable-pip-version-check", "install", "--quiet", wheel)
    judge = (place / "bin/envparity", "gate", "--target", project, "--against", "env:prod#python/shop", "--json")
    begun = time.perf_counter()
    subprocess.run(install, check=True)
    there = time.perf_counter()
    judged = subprocess.run(judge, check=True, capture_output=True, env={"PATH": "/usr/bin:/bin", **asking})
    ended = time.perf_counter()
    assert json.loads(judged.stdout)["verdict"] == "parity"
    return there - begun, ended - there
