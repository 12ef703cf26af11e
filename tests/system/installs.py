"""Installs into a root what an administrator of that host would: virtual environments and Debian packages."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.system.commands import run, run_in_root
from tests.system.workspaces import workspace

PROBE = "envparity-probe"


def make_environment(root: Path, environment: str, wheels: Path, pins: Sequence[str]) -> None:
    """Make a virtual environment with the host's own Python and install the packages into it."""
    run_in_root(root, "python3", "-m", "venv", environment)
    install_packages(root, environment, wheels, pins)


def install_packages(root: Path, environment: str, wheels: Path, pins: Sequence[str]) -> None:
    """Install the packages, also over the same version of themselves."""
    with lent(root, wheels) as links:
        run_in_root(
            *(root, f"{environment}/bin/python", "-m", "pip", "install", "--quiet", "--no-index", "--no-deps"),
            *("--force-reinstall", "--find-links", links, *pins),
        )


def install_probe(root: Path, version: str) -> None:
    """Build a Debian package with one file and install it with the host's own dpkg."""
    with workspace("deb") as scratch:
        build_probe(scratch / "tree", scratch / f"{PROBE}.deb", version)
        with lent(root, scratch) as directory:
            run_in_root(root, "dpkg", "--install", f"{directory}/{PROBE}.deb")


def build_probe(tree: Path, package: Path, version: str) -> None:
    """Build version after version of the same package, different in nothing but the version."""
    control = tree / "DEBIAN" / "control"
    content = tree / "usr" / "share" / PROBE / "version"
    for file, text in ((control, _control(version)), (content, f"{version}\n")):
        file.parent.mkdir(parents=True)
        file.write_text(text)
    run("dpkg-deb", "--root-owner-group", "--build", tree, package)


@contextmanager
def lent(root: Path, directory: Path) -> Iterator[str]:
    """Give a host a directory for a while; give its path as the host sees it."""
    seen_by_host = f"/tmp/{directory.name}"  # noqa: S108 - the host is simulated
    inside = root / seen_by_host.lstrip("/")
    shutil.copytree(directory, inside)
    try:
        yield seen_by_host
    finally:
        shutil.rmtree(inside)


def _control(version: str) -> str:
    return (
        f"Package: {PROBE}\n"
        f"Version: {version}\n"
        "Architecture: all\n"
        "Maintainer: Envparity Tests <tests@example.org>\n"
        "Description: a package whose version is known\n"
    )
