"""Says which programs the tests need, and skips a test with a sentence when one is missing."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True)
class Component:
    """A program on the search path and the Debian package that brings it."""

    program: str
    package: str


DEBOOTSTRAP = Component("debootstrap", "debootstrap")
DPKG = Component("dpkg", "dpkg")
DPKG_DEB = Component("dpkg-deb", "dpkg")
DOCKER_ENGINE = Component("dockerd", "docker.io")
DOCKER_CLIENT = Component("docker", "docker.io")
DOCKER_INIT = Component("docker-init", "tini")
DOCKER_REGISTRY = Component("docker-registry", "docker-registry")
C_COMPILER = Component("gcc", "gcc libc6-dev")
PYTHON_311 = Component("python3.11", "python3.11-dev")
RPM = Component("rpm", "rpm")
RPM_BUILD = Component("rpmbuild", "rpm")
STRACE = Component("strace", "strace")
SET_PRIVILEGES = Component("setpriv", "util-linux")
PODMAN = Component("podman", "podman")
RUNC = Component("runc", "runc")
CHROMIUM = Component("chromium", "chromium")
GIT = Component("git", "git")

FLEET_COMPONENTS = (DEBOOTSTRAP, DPKG_DEB, DOCKER_ENGINE, DOCKER_CLIENT, DOCKER_INIT, DOCKER_REGISTRY)

# Where Debian keeps the programs of root, which the search path of an ordinary user lacks.
SEARCH_PATH = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/local/sbin", "/usr/sbin", "/sbin"))


def require(component: Component) -> Path:
    """Return where the program is, or skip."""
    found = shutil.which(component.program, path=SEARCH_PATH)
    if found is None:
        pytest.skip(f"{component.program} is missing: apt-get install {component.package}")
    return Path(found)


def require_fleet() -> None:
    """Skip unless hosts can be simulated here."""
    if os.geteuid() != 0:
        pytest.skip("simulated hosts need root: run the tests as root on a machine of their own")
    for component in FLEET_COMPONENTS:
        require(component)
