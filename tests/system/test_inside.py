"""Ten containers of three Debian releases, read from outside and held against what their own tools say inside."""

import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from packaging.utils import canonicalize_name

from tests.forking import Ended
from tests.system.cache import cache_directory, cache_lock
from tests.system.commands import run
from tests.system.containers import SCRATCH
from tests.system.engines import Engine, started_engines
from tests.system.images import LEFT_OUT, SLEEP
from tests.system.registry import Registry
from tests.system.roots import Roots
from tests.system.serving import envparity
from tests.system.wheels import Wheels, downloaded, wheel_file

pytestmark = pytest.mark.system

PIP = "pip==24.2"  # `inspect` came with pip 22.2, after bullseye
_VENV = "/opt/shop/.venv"
_SYSTEM = "/usr/bin/python3"
_INSTALL = (
    f"RUN python3 -m venv {_VENV} && {_VENV}/bin/pip install --quiet --no-index --find-links /wheels requests==2.32.3\n"
)
_COMPOSE = ("--label", "com.docker.compose.project=shop", "--label", "com.docker.compose.service=api")


@dataclass(frozen=True)
class Contained:
    """One container: how it is made and run, and its interpreters."""

    name: str
    release: str
    recipe: str = ""
    options: tuple[str, ...] = ()
    pythons: tuple[str, ...] = (_SYSTEM,)


CONTAINERS = (
    Contained("plain-bookworm", "bookworm"),
    Contained("plain-bullseye", "bullseye"),
    Contained("plain-trixie", "trixie"),
    Contained("shop-bookworm", "bookworm", _INSTALL, pythons=(_SYSTEM, f"{_VENV}/bin/python")),
    Contained("shop-bullseye", "bullseye", _INSTALL, pythons=(_SYSTEM, f"{_VENV}/bin/python")),
    Contained("shop-trixie", "trixie", _INSTALL, pythons=(_SYSTEM, f"{_VENV}/bin/python")),
    Contained("read-only", "bookworm", options=("--read-only",)),
    Contained("somebody", "trixie", options=("--user", "1000:1000")),
    Contained("of-compose", "bullseye", options=_COMPOSE),
    Contained("removed", "bookworm", "RUN dpkg --purge --force-depends ca-certificates\n"),
)


@dataclass(frozen=True)
class Read:
    """All containers as they were read from outside, the time before and after, and the engine that runs them."""

    engine: Engine
    shown: Mapping[str, Ended]
    since: datetime
    until: datetime

    def sections(self, one: Contained) -> Mapping[str, Any]:
        """What was read of a container."""
        shown = self.shown[one.name]
        assert shown.exit_code == 0, shown.complaint
        found: Mapping[str, Any] = shown.document["sections"]
        return found


@pytest.fixture(scope="module")
def read(cached: tuple[Roots, Wheels], registry: Registry) -> Iterator[Read]:
    """Run them all and read each; nothing was executed in any of them before."""
    roots, wheels = cached
    releases = {
        "bookworm": (roots.bookworm, wheels.python_3_11),
        "bullseye": (roots.bullseye, wheels.python_3_9),
        "trixie": (roots.trixie, wheels.python_3_13),
    }
    with started_engines(("inside",), registry.address) as engines:
        engine = engines["inside"]
        for release, (root, directory) in releases.items():
            _publish(engine, release, root, directory)
        for one in CONTAINERS:
            engine.docker("run", "--detach", "--init", "--network", "none", *one.options, "--name", one.name, one.name)
        since = datetime.now(UTC)
        shown = {
            one.name: envparity("show", f"container:{one.name}", "--json", "--docker", engine.url) for one in CONTAINERS
        }
        yield Read(engine, shown, since, datetime.now(UTC))


def _publish(engine: Engine, release: str, root: Path, wheels: Path) -> None:
    """Make the base image of a release from its root, and from that the images of its containers."""
    context = engine.home / release
    shutil.copytree(wheels, context / "wheels")
    excluded = [f"--exclude={pattern}" for pattern in LEFT_OUT]
    run("tar", *excluded, "-C", root, "-cf", context / "root.tar", ".")
    base = f"FROM scratch\nADD root.tar /\nCOPY wheels /wheels\n{SLEEP}\n"
    _build(engine, context, f"base:{release}", base)
    for one in CONTAINERS:
        if one.release == release:
            _build(engine, context, one.name, f"FROM base:{release}\n{one.recipe}")


def _build(engine: Engine, context: Path, name: str, recipe: str) -> None:
    (context / "Dockerfile").write_text(recipe)
    engine.docker("build", "--quiet", "--network", "none", "--tag", name, str(context))


@pytest.fixture(scope="module")
def pip(cached: tuple[Roots, Wheels]) -> Path:
    """A wheel of pip, which runs as it is."""
    assert cached
    cache = cache_directory()
    with cache_lock(cache):
        return wheel_file(downloaded(cache, "3.9", (PIP,)), PIP)


def inspected(engine: Engine, container: str, python: str, pip: Path) -> list[Mapping[str, Any]]:
    """What `pip inspect` prints when it runs inside."""
    lent = f"{SCRATCH}/{pip.name}"
    copy = ("exec", "--interactive", "--user", "0", container, "sh", "-c", f"cat > {lent}")
    engine.docker(*copy, standard_input=pip.read_bytes())
    settings = ("--env", f"PYTHONPATH={lent}", "--env", "PYTHONDONTWRITEBYTECODE=1", "--env", "HOME=/root")
    told = engine.docker("exec", "--user", "0", *settings, container, python, "-W", "ignore", "-m", "pip", "inspect")
    installed: list[Mapping[str, Any]] = json.loads(told)["installed"]
    return [one for one in installed if not str(one["metadata_location"]).startswith(lent)]


def test_nothing_was_executed_inside(read: Read) -> None:
    times = ("--since", read.since.isoformat(), "--until", read.until.isoformat())
    events = read.engine.docker("events", *times, "--format", "{{json .Action}}").splitlines()
    assert [event for event in events if "exec" in event] == []


@pytest.mark.parametrize("one", CONTAINERS, ids=[one.name for one in CONTAINERS])
def test_the_os_packages_are_those_that_dpkg_query_prints_inside(read: Read, one: Contained) -> None:
    form = "${db:Status-Status}\t${binary:Package}\t${Version}\t${Architecture}\n"
    told = read.engine.docker("exec", "--user", "0", one.name, "dpkg-query", "-W", "-f", form)
    expected = {
        (name.partition(":")[0], version, architecture)
        for status, name, version, architecture in (line.split("\t") for line in told.splitlines())
        if status == "installed"
    }
    items = read.sections(one)["os-packages"]["items"]
    assert {(name.partition(":")[0], body["version"], body["architecture"]) for name, body in items.items()} == expected


@pytest.mark.parametrize(
    ("one", "python"),
    [(one, python) for one in CONTAINERS for python in one.pythons],
    ids=[f"{one.name}-{python}" for one in CONTAINERS for python in one.pythons],
)
def test_the_python_packages_are_those_that_pip_inspect_prints_inside(
    read: Read, pip: Path, one: Contained, python: str
) -> None:
    told = {
        str(canonicalize_name(found["metadata"]["name"])): (
            found["metadata"]["version"],
            found.get("installer") or None,
            bool(found.get("requested")),
            "direct_url" in found,
        )
        for found in inspected(read.engine, one.name, python, pip)
    }
    place = python.removesuffix("/bin/python") if python != _SYSTEM else "/usr/lib/python3"
    [section] = [
        body
        for path, body in read.sections(one).items()
        if path.startswith(f"python{place}") and body["kind"] == "python" and body["items"]["@python"]["role"] != "site"
    ]
    ours = {
        name: (item["version"], item.get("installer"), bool(item.get("requested")), "source" in item)
        for name, item in section["items"].items()
        if not name.startswith("@") and "#" not in name
    }
    assert ours == told
    assert section["status"] == "ok"


@pytest.mark.parametrize("one", CONTAINERS, ids=[one.name for one in CONTAINERS])
def test_the_operating_system_and_the_interpreters_are_those_inside(read: Read, one: Contained) -> None:
    sections = read.sections(one)
    release = dict(
        line.split("=", 1) for line in read.engine.docker("exec", one.name, "cat", "/etc/os-release").splitlines()
    )
    assert sections["os"]["items"]["distribution"]["version"] == release["VERSION_ID"].strip('"')
    version = read.engine.docker("exec", one.name, _SYSTEM, "--version").split()[1]
    [system] = [
        body["items"]["@python"] for path, body in sections.items() if path.startswith("python/usr/lib/python3.")
    ]
    assert system["version"] == version
