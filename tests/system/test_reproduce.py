"""Rebuilds real targets with what `envparity reproduce` writes: the two differ in nothing but what it lists as gaps."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from packaging.utils import parse_wheel_filename

from tests.forking import Ended
from tests.system.cache import cache_directory, cache_lock
from tests.system.commands import run
from tests.system.components import require_fleet
from tests.system.containers import SCRATCH
from tests.system.engines import Engine, started_engines
from tests.system.index import served_index
from tests.system.registry import Registry
from tests.system.roots import bare_root
from tests.system.serving import envparity, make_key
from tests.system.wheels import downloaded, wheel_file
from tests.system.workspaces import workspace

pytestmark = pytest.mark.system

PINS = (
    "annotated-types==0.7.0", "anyio==4.6.0", "attrs==24.2.0", "blinker==1.8.2", "certifi==2024.8.30", "cffi==1.17.1",
    "charset-normalizer==3.4.0", "click==8.1.7", "cryptography==43.0.1", "flask==3.0.3", "greenlet==3.1.1",
    "gunicorn==23.0.0", "h11==0.14.0", "httpcore==1.0.6", "httpx==0.27.2", "idna==3.7", "itsdangerous==2.2.0",
    "jinja2==3.1.4", "markdown-it-py==3.0.0", "MarkupSafe==2.1.5", "mdurl==0.1.2", "packaging==24.1",
    "pathspec==0.12.1", "pycparser==2.22", "pydantic==2.9.2", "pydantic-core==2.23.4", "pygments==2.18.0",
    "python-dateutil==2.9.0.post0", "pytz==2024.2", "pyyaml==6.0.2", "requests==2.32.3", "rich==13.9.2",
    "sniffio==1.3.1", "sqlalchemy==2.0.35", "tabulate==0.9.0", "tomlkit==0.13.2", "typing-extensions==4.12.2",
    "tzdata==2024.2", "urllib3==2.2.3", "werkzeug==3.0.4",
)  # fmt: skip
ADDED_BY_HAND = "six==1.17.0"
VENV = "/opt/shop/.venv"
BASE = "debian:bookworm-slim"  # what the operating system's release is called; here a root of our own
PATCHED = f"{VENV}/lib/python3.11/site-packages/tabulate/__init__.py"
# what a Dockerfile has its own signs for
HOSTILE = r"""two words "and" 'more' $HOME ${PATH:-x} \ \n # ` <<EOF"""
SYSTEM = f"""\
FROM {BASE}
RUN apt-get update && apt-get install --yes --no-install-recommends python3-venv libpq5 && rm -r /var/lib/apt/lists/*
"""
ORIGINAL = f"""\
FROM system
ARG PIP_INDEX_URL
COPY pins.txt hostile.env /srv/
RUN python3 -m venv {VENV} && {VENV}/bin/pip --quiet install --no-cache-dir --no-deps -r /srv/pins.txt \\
    && echo '# patched in place' >> {PATCHED}
ENV TZ=Europe/Berlin PYTHONUNBUFFERED=1 DATABASE_URL=postgres://shop:secret@db/shop
EXPOSE 8000 53/udp
WORKDIR /srv/shop
USER 1000:1000
LABEL org.opencontainers.image.title="the \\"shop\\" for \\$5"
CMD ["tail", "-f", "/dev/null"]
"""


@dataclass(frozen=True)
class Yard:
    """An engine that builds with the network of this machine, an index for pip, and settings with a key."""

    engine: Engine
    registry: Registry
    home: Path
    wheels: Path
    index: str

    def envparity(self, *arguments: str | Path) -> Ended:
        """Run the command with the key by which values are told apart, and a variable that is told in clear."""
        return envparity(
            *arguments, "--docker", self.engine.url, environment={"ENVPARITY_CONFIG": str(self.home / "agent.toml")}
        )

    def build(self, name: str, context: Path, *arguments: str) -> None:
        """Build an image from a folder."""
        index = ("--build-arg", f"PIP_INDEX_URL={self.index}")
        self.engine.docker("build", "--quiet", "--network", "host", *index, *arguments, "--tag", name, str(context))

    def start(self, name: str, image: str, *options: str) -> None:
        """Run a container that waits."""
        self.engine.docker("run", "--detach", "--network", "none", *options, "--name", name, image)

    def reproduce(self, target: str, folder: str, *options: str) -> Mapping[str, Any]:
        """Write a folder for a target, and return what was printed."""
        ended = self.envparity("reproduce", target, "-o", self.home / folder, "--json", *options)
        assert ended.exit_code == 0, ended.complaint
        printed: Mapping[str, Any] = ended.document
        for name, text in printed["files"].items():
            assert (self.home / folder / name).read_text() == text
        return printed

    def diff(self, left: str, right: str) -> Mapping[str, Any]:
        """The comparison of two targets, without rules."""
        ended = self.envparity("diff", left, right, "--no-rules", "--json")
        assert ended.exit_code == 0, ended.complaint
        found: Mapping[str, Any] = ended.document
        return found

    def shown(self, target: str, file: str) -> str:
        """Keep the fingerprint of a target in a file, and return its path."""
        ended = self.envparity("show", target, "--verify", "--json")
        assert ended.exit_code == 0, ended.complaint
        (self.home / file).write_text(ended.output)
        return str(self.home / file)


@pytest.fixture(scope="module")
def yard(registry: Registry) -> Iterator[Yard]:
    """The original: a Debian without Python, the system's Python from its archive, and a venv of 40 packages."""
    require_fleet()
    cache = cache_directory()
    with cache_lock(cache):
        bare, wheels = bare_root(cache), downloaded(cache, "3.11", (*PINS, ADDED_BY_HAND))
    with (
        workspace("reproduce") as home,
        started_engines(("yard",), registry.address) as engines,
        served_index(home, wheels) as index,
    ):
        yard = Yard(engines["yard"], registry, home, wheels, index)
        make_key(home)
        with (home / "agent.toml").open("a") as settings:
            settings.write('clear = ["HOSTILE"]\n')
        _import(yard, bare)
        for name, recipe in (("system", SYSTEM), ("shop", ORIGINAL)):
            context = home / f"context-{name}"
            context.mkdir()
            (context / "Dockerfile").write_text(recipe)
            (context / "pins.txt").write_text("\n".join(PINS))
            (context / "hostile.env").write_text(f"HOSTILE={HOSTILE}\n")
            yard.build(name, context)
        yield yard
        for container in yard.engine.docker("ps", "--all", "--quiet").split():
            yard.engine.docker("rm", "--force", container)  # what runs in them does not end when it is asked to


def _import(yard: Yard, root: Path) -> None:
    archive = yard.home / "root.tar"
    run("tar", "--exclude=./var/cache/apt/*", "--exclude=./var/lib/apt/lists/*", "-C", root, "-cf", archive, ".")
    yard.engine.docker("import", str(archive), BASE)
    archive.unlink()


def unlisted(comparison: Mapping[str, Any], reproduced: Mapping[str, Any]) -> list[tuple[str, str | None, str]]:
    """The differences that no gap speaks of, by section and item; a gap without an item is all of a section."""
    gaps = {(one["section"], one["item"]) for one in reproduced["gaps"]}
    return [
        (one["section"], one["item"], one["attribute"])
        for one in comparison["differences"]
        if not {(one["section"], one["item"]), (one["section"], None)} & gaps
    ]


def differing(comparison: Mapping[str, Any], section: str) -> set[str]:
    """The items of a section that differ."""
    return {one["item"] for one in comparison["differences"] if one["section"] == section}


def test_a_container_is_rebuilt_but_for_its_gaps(yard: Yard) -> None:
    hostile = str(yard.home / "context-shop" / "hostile.env")
    yard.start("shop", "shop", "--env-file", hostile)
    before = yard.shown("container:shop", "shop.json")
    made = yard.reproduce(before, "rebuilt", "--packages", "all")
    yard.build("rebuilt", yard.home / "rebuilt")
    yard.engine.docker("rm", "--force", "shop")
    yard.start("shop", "rebuilt")
    found = yard.diff(before, yard.shown("container:shop", "rebuilt.json"))
    assert unlisted(found, made) == []
    assert differing(found, "container/shop/config") == {"env:DATABASE_URL"}
    assert differing(found, f"verify{VENV}") == {"tabulate"}
    assert differing(found, f"python{VENV}") == differing(found, "os-packages") == set()
    assert found["not_examined"] == []
    [inspected] = json.loads(yard.engine.docker("inspect", "shop"))
    assert f"HOSTILE={HOSTILE}" in inspected["Config"]["Env"]


def test_a_host_root_is_rebuilt_but_for_its_gaps(yard: Yard) -> None:
    root = yard.home / "host"
    root.mkdir()
    yard.engine.docker("create", "--name", "exported", "shop")
    yard.engine.docker("export", "--output", str(yard.home / "host.tar"), "exported")
    run("tar", "-C", root, "-xf", yard.home / "host.tar")
    unit = root / "etc/systemd/system/shop.service"
    unit.parent.mkdir(parents=True, exist_ok=True)
    unit.write_text(f"[Service]\nExecStart={VENV}/bin/gunicorn shop:app\n")
    before = yard.shown(f"root:{root}", "host.json")
    made = yard.reproduce(before, "of-host")
    unneeded = {one["item"] for one in made["gaps"] if one["section"] == "os-packages"}
    assert "libpq5" in unneeded
    assert not {"python3.11", "libssl3", "libsqlite3-0"} & unneeded
    yard.build("of-host", yard.home / "of-host")
    found = yard.diff(before, yard.shown("image:of-host", "of-host.json"))
    assert unlisted(found, made) == []
    assert differing(found, f"python{VENV}") == set()
    assert differing(found, "os-packages") == {"libpq5", "libldap-2.5-0", "libsasl2-2", "libsasl2-modules-db"}
    assert found["summary"]["same"] > 100 + len(PINS)


def test_a_lock_is_installed_as_it_says(yard: Yard) -> None:
    lock = yard.home / "requirements.lock.txt"
    lock.write_text("".join(f"{pin} --hash=sha256:{_hash(yard.wheels, pin)}\n" for pin in PINS))
    made = yard.reproduce(str(lock), "of-lock")
    assert "@archives" not in {one["item"] for one in made["gaps"]}
    yard.build("of-lock", yard.home / "of-lock", "--build-arg", "BASE=system")
    found = yard.diff(str(lock), "image:of-lock")
    assert unlisted(found, made) == []
    assert found["summary"]["same"] >= len(PINS)


def _hash(wheels: Path, pin: str) -> str:
    name = pin.replace("-", "_").replace("_==", "==")
    [found] = [one for one in wheels.glob("*.whl") if _pin(one) == pin.lower()] or [wheel_file(wheels, name)]
    return hashlib.sha256(found.read_bytes()).hexdigest()


def _pin(wheel: Path) -> str:
    name, version, _, _ = parse_wheel_filename(wheel.name)
    return f"{name}=={version}"


@pytest.mark.long
def test_a_container_of_a_published_image_is_that_image_and_what_was_changed_since(yard: Yard) -> None:
    published = yard.registry.reference("rebuilt-shop", "1")
    yard.engine.docker("tag", "shop", published)
    yard.engine.docker("push", "--quiet", published)
    yard.start("patched", published, "--user", "0")
    wheel = wheel_file(yard.wheels, ADDED_BY_HAND)
    lent = f"{SCRATCH}/{wheel.name}"
    pip = f"{VENV}/bin/pip install --no-index --no-cache-dir --find-links {SCRATCH} {ADDED_BY_HAND}"
    install = f"cat > {lent} && {pip} && rm {lent}"
    yard.engine.docker("exec", "-i", "patched", "sh", "-ec", install, standard_input=wheel.read_bytes())
    yard.engine.docker("exec", "patched", f"{VENV}/bin/pip", "uninstall", "--yes", "pytz")
    before = yard.shown("container:patched", "patched.json")
    made = yard.reproduce(before, "of-image")
    assert f"ARG BASE={yard.registry.address}/rebuilt-shop@sha256:" in made["files"]["Dockerfile"]
    yard.build("of-image", yard.home / "of-image")
    yard.engine.docker("rm", "--force", "patched")
    yard.start("patched", "of-image", "--user", "0")
    found = yard.diff(before, yard.shown("container:patched", "of-image.json"))
    assert unlisted(found, made) == []
    assert differing(found, f"python{VENV}") == differing(found, "os-packages") == set()
