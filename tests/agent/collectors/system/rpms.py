"""Builds RPM packages with rpmbuild and installs them into a database of the test's own."""

import os
from dataclasses import dataclass
from pathlib import Path

from tests.agent.trees import put
from tests.system.commands import run
from tests.system.components import RPM, RPM_BUILD, require

_SPEC = """Name: {name}
Version: {version}
Release: {release}
{epoch}Summary: A package of the tests
License: MIT
AutoReqProv: no
%description
Words.
%install
mkdir -p %{{buildroot}}$(dirname {path})
echo '{content}' > %{{buildroot}}{path}
%files
{path}
"""


@dataclass(frozen=True)
class Rpm:
    """One package to build: it has one file."""

    name: str
    version: str = "1.0"
    release: str = "1"
    epoch: str = ""
    architecture: str = "noarch"
    path: str = ""
    content: str = "words"


def build(home: Path, package: Rpm) -> Path:
    """The package's .rpm file."""
    spec = _SPEC.format(
        name=package.name, version=package.version, release=package.release, content=package.content,
        epoch=f"Epoch: {package.epoch}\n" if package.epoch else "",
        path=package.path or f"/usr/share/{package.name}/{package.version}.txt",
    )  # fmt: skip
    top = home / f"{package.name}-{package.version}-{package.architecture}"
    file = put(top, "one.spec", spec)
    definitions = ("--define", f"_topdir {top}", "--define", f"_tmppath {top}", "--define", "_build_id_links none")
    target = ("--target", f"{package.architecture}-linux")
    run(require(RPM_BUILD), "-bb", "--quiet", *target, *definitions, file, environment={**os.environ, "HOME": str(top)})
    return next((top / "RPMS").rglob("*.rpm"))


class Database:
    """A root directory with RPM's own database."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "var/lib/rpm").mkdir(parents=True)
        self.run("--initdb")

    def run(self, *arguments: str | Path) -> str:
        """What rpm prints when it works on this root."""
        return run(require(RPM), "--root", self.root, "--dbpath", "/var/lib/rpm", *arguments)

    def install(self, *packages: Path) -> None:
        """Install packages, beside what is there of the same name."""
        self.run("-i", "--justdb", "--nodeps", "--ignorearch", "--force", *packages)
