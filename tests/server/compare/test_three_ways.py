"""Tests of what is declared, installed and running against each other, with real locks and environments."""

import json
import subprocess
import zipfile
from pathlib import Path
from shutil import which
from typing import Any

import pytest

from envparity_agent.collectors.interface import Options
from envparity_agent.collectors.values import Disclosure, Key
from envparity_agent.fingerprint import Attributes, Fingerprint
from envparity_agent.targets import fingerprint
from envparity_server.compare.differences import compare
from envparity_server.compare.model import Severity, State
from envparity_server.drift.severity import rate
from envparity_server.gating.model import Verdict
from tests.agent.trees import put, record
from tests.server.gating.asking import gated
from tests.server.making import host, section

OPTIONS = Options(disclosure=Disclosure(Key(b"0" * 32)))
PROJECT = """\
[project]
name = "shop"
version = "0.1.0"
requires-python = ">=3.11"
dependencies = ["app-one==1.0", "app-win; sys_platform == 'win32'"]

[dependency-groups]
tests = ["app-test"]
"""


def target(path: Path) -> Fingerprint:
    return fingerprint(str(path), OPTIONS)


def wheel(place: Path, name: str, version: str, *requires: str) -> None:
    """A wheel of an empty module."""
    module = name.replace("-", "_")
    folder = f"{module}-{version}.dist-info"
    needs = "".join(f"Requires-Dist: {one}\n" for one in requires)
    contents = {
        f"{module}.py": b"",
        f"{folder}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}\n".encode(),
        f"{folder}/WHEEL": b"Wheel-Version: 1.0\nGenerator: hand\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    with zipfile.ZipFile(place / f"{module}-{version}-py3-none-any.whl", "w") as archive:
        for path, content in contents.items():
            archive.writestr(path, content)
        archive.writestr(f"{folder}/RECORD", record(contents, f"{folder}/RECORD"))


class Project:
    """A project with a lock, and the environment that uv made from it, without any network."""

    def __init__(self, place: Path) -> None:
        self.place = place
        (place / "wheels").mkdir(parents=True)
        for name, version, requires in (
            ("app-one", "1.0", ["app-two>=1", "app-old; python_version < '3'"]), ("app-two", "1.0", []),
            ("app-two", "1.1", []), ("app-win", "1.0", ["app-deep"]), ("app-deep", "1.0", []),
            ("app-test", "1.0", []), ("app-old", "1.0", []), ("app-more", "1.0", []),
        ):  # fmt: skip
            wheel(place / "wheels", name, version, *requires)
        put(place, "pyproject.toml", PROJECT)
        self.uv("lock")
        self.uv("sync", "--no-default-groups")

    @property
    def environment(self) -> Path:
        """Where uv puts it."""
        return self.place / ".venv"

    def uv(self, *arguments: str) -> None:
        """Run uv in the project, on the wheels alone."""
        program = which("uv")
        if program is None:
            pytest.skip("uv is missing: pip install uv")
        only_wheels = ("--offline", "--no-config", "--no-cache", "--no-index", "--find-links", self.place / "wheels")
        ended = subprocess.run(
            [program, *arguments, *only_wheels], cwd=self.place, capture_output=True, text=True, check=False
        )
        assert ended.returncode == 0, ended.stderr

    def pip(self, *arguments: str) -> None:
        """Change the environment past the lock."""
        self.uv("pip", "install", "--python", str(self.environment / "bin/python"), *arguments)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The project, in step with its lock."""
    made = Project(tmp_path_factory.mktemp("project"))
    made.uv("export", "--no-default-groups", "--format", "pylock.toml", "-o", "pylock.toml")
    made.uv("pip", "compile", "pyproject.toml", "--universal", "--generate-hashes", "-o", "requirements.txt")
    return made


FILES = ["uv.lock", "pylock.toml", "requirements.txt", "pyproject.toml"]


@pytest.mark.parametrize("name", FILES)
def test_an_environment_that_was_made_from_a_lock_is_what_the_lock_says(project: Project, name: str) -> None:
    lock, environment = target(project.place / name), target(project.environment)
    assert [one for one in rate(compare(lock, environment)).differences if one.severity > Severity.INFO] == []
    assert gated(lock, environment).verdict is Verdict.PARITY


def test_a_lock_and_its_exports_say_the_same(project: Project) -> None:
    lock = target(project.place / "uv.lock")
    for name in ("pylock.toml", "requirements.txt"):
        found = compare(lock, target(project.place / name)).differences
        # the markers of packages that are not for this platform are written otherwise
        assert {one.item for one in found if one.state is not State.UNKNOWN} <= {"app-test"}


def test_one_package_that_was_changed_by_hand_is_one_difference(tmp_path: Path) -> None:
    project = Project(tmp_path / "shop")
    project.pip("app-two==1.0")
    (one,) = compare(target(project.place / "uv.lock"), target(project.environment)).differences
    assert (one.item, one.attribute, one.left, one.right) == ("app-two", "version", "1.1", "1.0")


def test_one_package_that_is_not_in_the_lock_is_one_difference(tmp_path: Path) -> None:
    project = Project(tmp_path / "shop")
    project.pip("app-more")
    (one,) = rate(compare(target(project.place / "uv.lock"), target(project.environment))).differences
    assert (one.item, one.state, one.severity) == ("app-more", State.ONLY_RIGHT, Severity.MEDIUM)


DOCKERFILE = """\
FROM debian:12
ENV SECRET=hunter2 TZ=UTC PATH=/srv/bin:$PATH
RUN apt-get update && apt-get install -y curl=7.88.1-10 git
RUN pip install six==1.17.0 'idna>=3'
EXPOSE 8000
WORKDIR /srv
USER shop
CMD ["uvicorn", "shop:app", "--port", "8000"]
"""


def running(**changed: Any) -> Fingerprint:
    """The container that runs the image of the Dockerfile, with what its base image brings."""
    disclosure = OPTIONS.disclosure
    items: dict[str, Attributes] = {
        "env:PATH": disclosure.of("PATH", "/srv/bin:/usr/bin"),
        "env:SECRET": disclosure.of("SECRET", changed.get("secret", "hunter2")),
        "env:TZ": {"value": "UTC"},
        "command": {"command": "uvicorn shop:app --port 8000"},
        "workdir": {"value": "/srv"},
        "user": {"value": "shop"},
        "port:8000/tcp": {"exposed": changed.get("exposed", True), "published": ("0.0.0.0:80",)},
        "restart": {"value": "no"},
    }
    image = {"reference": "docker.io/library/shop:latest", "config": "sha256:a", "platform": "linux/amd64"}
    packages = {"curl": changed.get("curl", "7.88.1-10"), "git": "2.39", "libc6": "2.36"}
    site = {"six": changed.get("six", "1.17.0"), "idna": "3.7", "pip": "24.0"}
    return host(
        section("container/shop-1", {"image": image}, schema=2),
        section("container/shop-1/config", items, kind="configuration"),
        section("os", {"distribution": {"id": "debian"}}),
        section("os-packages", {name: {"version": version} for name, version in packages.items()}, schema=2),
        section("python"),
        section("python/usr/lib/python3", {name: {"version": version} for name, version in site.items()}, schema=2),
        kind="container",
    )


def test_a_container_is_what_its_dockerfile_says(tmp_path: Path) -> None:
    dockerfile, container = target(put(tmp_path, "shop/Dockerfile", DOCKERFILE)), running()
    compared, turned = rate(compare(dockerfile, container)), compare(container, dockerfile)
    assert (compared.differences, turned.differences) == ((), ())
    assert (compared.same, turned.same) == (11, 11)  # all that the file says
    assert gated(dockerfile, container).verdict is Verdict.PARITY


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"secret": "other"}, ("container/shop/config", "env:SECRET")),
        ({"exposed": False}, ("container/shop/config", "port:8000/tcp")),
        ({"six": "1.16.0"}, ("python/Dockerfile", "six")),
        ({"curl": "7.88.1-11"}, ("os-packages", "curl")),
    ],
)
def test_what_a_container_has_otherwise_than_its_dockerfile_says_is_one_difference(
    tmp_path: Path, changed: dict[str, Any], expected: tuple[str, str]
) -> None:
    (one,) = compare(target(put(tmp_path, "shop/Dockerfile", DOCKERFILE)), running(**changed)).differences
    assert (one.section, one.item, one.state) == (*expected, State.CHANGED)


COMPOSE = """\
name: shop
services:
  web:
    image: registry.example/shop:1
    environment: {SECRET: "${SECRET}"}
    ports: ['80:8000']
    restart: always
"""


def test_a_host_runs_what_its_compose_file_says_and_a_change_is_one_difference(tmp_path: Path) -> None:
    put(tmp_path, ".env", "SECRET=hunter2\n")
    declared = target(put(tmp_path, "compose.yaml", COMPOSE))
    for secret, expected in (("hunter2", []), ("other", ["env:SECRET"])):
        items: dict[str, Attributes] = {
            "env:SECRET": OPTIONS.disclosure.of("SECRET", secret),
            "env:PATH": OPTIONS.disclosure.of("PATH", "/bin"),
            "port:8000/tcp": {"exposed": True, "published": ("0.0.0.0:80",)},
            "restart": {"value": "always"},
        }
        there = host(
            section("containers"),
            section("container/shop.web", {"image": {"reference": "registry.example/shop:1", "config": "sha256:a"}}),
            section("container/shop.web/config", items, kind="configuration"),
            section("container/other", {"image": {"reference": "db", "config": "sha256:b"}}),
        )
        assert [one.item for one in compare(declared, there).differences] == expected


def test_a_document_of_what_is_declared_can_be_kept_and_read_again(tmp_path: Path) -> None:
    declared = target(put(tmp_path, "shop/Dockerfile", DOCKERFILE))
    kept = target(put(tmp_path, "kept.json", json.dumps(declared.document())))
    assert (kept.root, kept.target) == (declared.root, declared.target)
