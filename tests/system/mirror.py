"""Finds the Debian mirror that this machine itself uses."""

import platform
from collections.abc import Iterator
from dataclasses import dataclass
from email.parser import Parser
from pathlib import Path
from urllib.parse import urlsplit

import pytest

APT = Path("/etc/apt")
# What debootstrap can read, unlike cdrom: or mirror+file:.
SCHEMES = ("http", "https", "file")


@dataclass(frozen=True)
class Source:
    """One archive in one suite, as apt is told about it."""

    uri: str
    suite: str
    components: tuple[str, ...]


def debian_mirror() -> str:
    """Return the address of the package archive, or skip where the machine is no Debian or names none."""
    release = platform.freedesktop_os_release()
    if release["ID"] != "debian":
        pytest.skip("debootstrap takes the mirror from the apt sources of a Debian machine: run the tests on Debian")
    mirror = package_archive(apt_sources(APT), release.get("VERSION_CODENAME", ""))
    if mirror is None:
        pytest.skip("no apt source names a Debian package archive: add one to /etc/apt/sources.list.d")
    return mirror


def package_archive(sources: Iterator[Source], codename: str) -> str | None:
    """Return the archive of the release itself: not its security updates, not a vendor's repository."""
    candidates = [
        source.uri
        for source in sources
        if source.suite in (codename, "stable", "testing", "sid")
        and "main" in source.components
        and urlsplit(source.uri).scheme in SCHEMES
    ]
    # A vendor may call its suite "bookworm" and its component "main" too, but not its archive "debian".
    named_debian = [uri for uri in candidates if urlsplit(uri).path.rstrip("/").endswith("/debian")]
    return next(iter(named_debian + candidates), None)


def apt_sources(directory: Path) -> Iterator[Source]:
    """Read every enabled source of binary packages, in apt's order and in both of its formats."""
    parts = sorted((directory / "sources.list.d").glob("*"))
    for path in (directory / "sources.list", *parts):
        if path.suffix == ".list" and path.is_file():
            yield from one_line_sources(path.read_text())
        if path.suffix == ".sources" and path.is_file():
            yield from stanza_sources(path.read_text())


def one_line_sources(text: str) -> Iterator[Source]:
    """Read the lines of sources.list(5): `deb [options] uri suite component...`."""
    for line in text.splitlines():
        kind, _, rest = line.partition("#")[0].strip().partition(" ")
        if kind != "deb":
            continue
        if rest.lstrip().startswith("["):
            rest = rest.partition("]")[2]
        uri, suite, *components = rest.split()
        yield Source(uri, suite, tuple(components))


def stanza_sources(text: str) -> Iterator[Source]:
    """Read the stanzas of sources.list(5), whose fields have the syntax of mail headers."""
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    for stanza in "\n".join(lines).split("\n\n"):
        fields = Parser().parsestr(stanza.strip(), headersonly=True)
        if "deb" not in fields.get("Types", "").split() or fields.get("Enabled", "yes").strip().lower() == "no":
            continue
        components = tuple(fields.get("Components", "").split())
        for uri in fields.get("URIs", "").split():
            for suite in fields.get("Suites", "").split():
                yield Source(uri, suite, components)
