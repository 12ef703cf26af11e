"""A shop that is released: its base image in a registry, its lock made by uv, its images, and where they run."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import md5
from pathlib import Path
from typing import IO

from tests.system.cache import cache_directory, cache_lock
from tests.system.commands import run, run_in_root
from tests.system.engines import Engine, started_engines
from tests.system.fleet import SHOP_ENVIRONMENT, Host
from tests.system.images import LEFT_OUT
from tests.system.index import served_index
from tests.system.registry import Registry
from tests.system.roots import pristine_root
from tests.system.serving import Served, envparity, served
from tests.system.wheels import wheels_of_311
from tests.system.workspaces import workspace

UV = Path(sys.executable).with_name("uv")
BASE = "debian:bookworm"  # by its own name, as a mirror of the hub gives it
LIBRARY = "libssl3"
MOVED_TO = "3.0.11-1~deb12u1"  # what the base image has after its tag was moved
SHOP = Path(SHOP_ENVIRONMENT).parent
COMPOSE = ("--label", "com.docker.compose.project=shop", "--label", "com.docker.compose.service=web")

PROJECT = """\
[project]
name = "shop"
version = "1"
requires-python = ">=3.11"
dependencies = [{dependencies}]

[[tool.uv.index]]
url = "{index}"
default = true
"""
RECIPE = f"""\
FROM {BASE} AS build
COPY --from=uv /uv /usr/local/bin/uv
WORKDIR {SHOP}
COPY pyproject.toml uv.lock ./
RUN uv sync --quiet --frozen --no-install-project --no-cache --python /usr/bin/python3

FROM {BASE}
COPY --from=build {SHOP} {SHOP}
WORKDIR {SHOP}
CMD ["sleep", "infinity"]
"""
RUNNING = ("idna==3.4", "jinja2==3.1.4", "packaging==24.1")  # what production has
RELEASE = ("idna==3.7", "jinja2==3.1.4", "tabulate==0.9.0")  # what is about to be released


@dataclass(frozen=True)
class Release:
    """A folder with what an image is built from, and the image."""

    image: str
    folder: Path

    @property
    def declared(self) -> tuple[str, ...]:
        """The options that declare what the release changes."""
        files = (self.folder / "uv.lock", self.folder / "Dockerfile")
        return tuple(part for file in files for part in ("--declared", str(file)))


@dataclass(frozen=True)
class Yard:
    """One engine, one registry, one index and one server for all stories."""

    home: Path
    engine: Engine
    registry: Registry
    index: str
    server: Served
    web: Path  # the root of a host that has the shop as it runs in production
    other: Path  # of one that has no shop, and another version of a library

    def publish_base(self, root: Path) -> None:
        """Let the tag of the base image point to an image of this root, in the registry and where images are built."""
        published = self.registry.reference("debian", "bookworm")
        import_files(self.engine, published, root)
        self.engine.docker("push", "--quiet", published)
        self.engine.docker("pull", "--quiet", published)
        self.engine.docker("tag", published, BASE)

    def lock(self, name: str, pins: Sequence[str]) -> Path:
        """A folder with a project of these requirements, locked by uv."""
        folder = self.home / name
        folder.mkdir()
        told = ", ".join(f'"{pin}"' for pin in pins)
        (folder / "pyproject.toml").write_text(PROJECT.format(dependencies=told, index=self.index))
        run(UV, "lock", "--quiet", "--no-cache", "--python", sys.executable, "--project", folder)
        return folder

    def release(self, name: str, pins: Sequence[str]) -> Release:
        """Build an image of the shop as a pipeline does, with the base image that its tag points to now."""
        folder = self.lock(name, pins)
        (folder / "Dockerfile").write_text(RECIPE)
        image = f"shop:{name}"
        self.engine.docker("build", "--quiet", "--network", "host", "--tag", image, str(folder))
        return Release(image, folder)

    def environment(self, name: str, pins: Sequence[str]) -> Path:
        """A virtual environment on this machine, as uv installs it from a lock."""
        folder = self.lock(name, pins)
        run(UV, "sync", "--quiet", "--frozen", "--no-cache", "--no-install-project", "--python", sys.executable,
            "--project", folder)  # fmt: skip
        return folder / ".venv"

    def copy(self, release: Release, root: Path) -> None:
        """Put the shop of a release on a host, in the place of the one that is there."""
        target = root / SHOP.relative_to("/")
        shutil.rmtree(target, ignore_errors=True)
        target.parent.mkdir(parents=True, exist_ok=True)
        container = self.engine.docker("create", release.image).strip()
        self.engine.docker("cp", f"{container}:{SHOP}", str(target))
        self.engine.docker("rm", container)

    def report(self, name: str, environment: str, root: Path, docker: str | None = None) -> None:
        """Have a host enrol and report."""
        host = Host(name, environment, root, docker)
        for ended in (self.server.enrol(host), self.server.report(host)):
            assert ended.exit_code == 0, ended.complaint

    def show(self, target: str, file: str) -> Path:
        """Keep the fingerprint of a target in a file."""
        shown = envparity("show", target, "--docker", self.engine.url, "--json", environment=self.server.keyed)
        assert shown.exit_code == 0, shown.complaint
        (self.home / file).write_text(shown.output)
        return self.home / file


@contextmanager
def released(registry: Registry) -> Iterator[tuple[Yard, Release]]:
    """The yard, and the release of the shop that runs in production, on a host with this engine."""
    cache = cache_directory()
    with cache_lock(cache):
        pristine, wheels = pristine_root(cache, "bookworm"), wheels_of_311(cache)
    with (
        workspace("release") as home,
        started_engines(("yard",), registry.address) as engines,
        served_index(home / "index", wheels) as index,
        served(home, f"sqlite:///{home / 'server.db'}") as server,
    ):
        with (home / "agent.toml").open("a") as settings:
            settings.write(f'[python]\nshop = "{SHOP_ENVIRONMENT}"\n')
        web, other = (slim_copy(pristine, home / name) for name in ("web", "other"))
        move_library(other, pristine, home / "library")
        yard = Yard(home, engines["yard"], registry, index, server, web, other)
        import_files(yard.engine, "uv", UV.parent, UV.name)
        yard.publish_base(web)
        running = yard.release("1", RUNNING)
        yard.copy(running, web)
        yard.engine.docker("run", "--detach", "--init", "--network", "none", *COMPOSE, "--name", "web", running.image)
        yard.report("web-1", "prod", web, yard.engine.url)
        yield yard, running


def version_of(root: Path, package: str) -> str:
    """Ask the host's own dpkg."""
    return run_in_root(root, "dpkg-query", "--show", "--showformat", "${Version}", package)


def move_library(root: Path, pristine: Path, scratch: Path) -> None:
    """Install another version of a library, with other content, by the host's own dpkg."""
    scratch.mkdir()
    [package] = (pristine / "var/cache/apt/archives").glob(f"{LIBRARY}_*.deb")
    tree, built = scratch / "tree", root / "srv" / f"{LIBRARY}.deb"
    run("dpkg-deb", "--raw-extract", package, tree)
    control, sums = tree / "DEBIAN/control", tree / "DEBIAN/md5sums"
    control.write_text(re.sub("(?m)^Version: .*$", f"Version: {MOVED_TO}", control.read_text()))
    for library in (tree / "usr/lib").glob("*/libssl.so.3"):
        before = md5(library.read_bytes(), usedforsecurity=False).hexdigest()
        with library.open("ab") as content:
            content.write(b"\n")  # what follows the sections of a library is not looked at
        sums.write_text(sums.read_text().replace(before, md5(library.read_bytes(), usedforsecurity=False).hexdigest()))
    run("dpkg-deb", "--root-owner-group", "--build", tree, built)
    run_in_root(root, "dpkg", "--install", f"/srv/{built.name}")
    built.unlink()


def slim_copy(source: Path, target: Path) -> Path:
    """Copy a Debian root without what no test looks at."""
    target.mkdir()
    with packed(source, ".") as archive:
        run("tar", "-C", target, "--extract", "--same-owner", "--same-permissions", standard_input=archive)
    return target


def import_files(engine: Engine, name: str, root: Path, files: str = ".") -> None:
    """Make an image of one layer from a directory."""
    with packed(root, files) as archive:
        engine.docker("import", "-", name, standard_input=archive)


@contextmanager
def packed(root: Path, files: str) -> Iterator[IO[bytes]]:
    """The files of a directory as tar writes them."""
    excluded = [f"--exclude={pattern}" for pattern in LEFT_OUT]
    with subprocess.Popen(["tar", *excluded, "-C", root, "-c", files], stdout=subprocess.PIPE) as tar:
        assert tar.stdout is not None
        yield tar.stdout
    assert tar.returncode == 0
