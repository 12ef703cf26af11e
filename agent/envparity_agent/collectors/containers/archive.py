"""Copies what collectors read out of a container that this process may not look into, through the engine's archive.

Not root on the container's host, or the engine runs in a virtual machine: then /proc/PID/root cannot be read, but the
engine sends the container's files as a tar stream. Nothing of the container runs.
"""

import os
import re
import tarfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from io import RawIOBase
from pathlib import Path
from tempfile import TemporaryDirectory

import docker
import requests.exceptions

from envparity_agent.errors import Unreadable
from envparity_agent.fingerprint import Reason
from envparity_agent.root import MIB

MAX_FILE = 64 * MIB
MAX_TOTAL = 1024 * MIB
MAX_ENTRIES = 2_000_000

# the files whose content a collector reads
_CONTENT = re.compile(
    r"(?:^|/)(?:METADATA|RECORD|WHEEL|INSTALLER|PKG-INFO|direct_url\.json|pyvenv\.cfg|patchlevel\.h|libc\.so\.6"
    r"|ld-musl-[^/]*|[^/]*\.pth|[^/]*\.egg-info|bin/python\d\.\d+t?|libpython[^/]*\.so[^/]*"
    r"|(?:etc|usr/lib)/os-release|etc/debian_version"
    r"|var/lib/dpkg/(?:status|status\.d/[^/]*|updates/\d+|info/[^/]*\.(?:list|md5sums))|lib/apk/db/installed"
    r"|(?:var/lib|usr/lib/sysimage|usr/share)/rpm/(?:rpmdb\.sqlite(?:-wal|-journal)?|Packages(?:\.db)?)"
    r"|var/log/(?:apt/history|dpkg)\.log|var/lib/dnf/history\.sqlite)$"
)
# the files whose presence or size a collector looks at
_PRESENCE = re.compile(r"(?:^|/)(?:os\.py$|(?:site|dist)-packages/)")


class _Stream(RawIOBase):
    """The chunks of a response as a file to read from."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # the stub's buffer has no length
        if not self._rest:
            self._rest = next(self._chunks, b"")
        size = min(len(buffer), len(self._rest))
        buffer[:size], self._rest = self._rest[:size], self._rest[size:]
        return size


@contextmanager
def copied(client: docker.APIClient, container: str) -> Iterator[str]:
    """A directory with a container's tree: read files with their content, others in site directories empty of it."""
    chunks, _ = client.get_archive(container, "/", chunk_size=MIB)
    with TemporaryDirectory(prefix="envparity-") as directory:
        try:
            with tarfile.open(fileobj=_Stream(chunks), mode="r|", bufsize=MIB) as archive:
                _unpack(archive, Path(directory))
        except tarfile.TarError as problem:  # also where opening reads the first header
            raise Unreadable("archive", Reason.INVALID) from problem
        yield directory


def _unpack(archive: tarfile.TarFile, target: Path) -> None:
    """Write directories and files first and links last, so that no entry is written through a link."""
    links: dict[str, str] = {}
    hard_links: dict[str, str] = {}
    written = 0
    try:
        for number, entry in enumerate(archive):
            if number > MAX_ENTRIES or written > MAX_TOTAL:
                raise Unreadable("archive", Reason.CAP)
            path = _inside(entry.name)
            if path is None:
                continue
            if entry.isdir():
                (target / path).mkdir(parents=True, exist_ok=True)
            elif entry.issym():
                links[path] = entry.linkname
            elif entry.islnk():
                hard_links[path] = _inside(entry.linkname) or ""
            elif entry.isreg():
                written += _write(archive, entry, path, target)
    except requests.exceptions.RequestException:
        raise  # an OSError as well, but the engine's: its reason is told by who asked it
    except OSError as problem:  # no room for the copy, or an entry that occurs twice
        raise Unreadable("archive", Reason.ERROR) from problem
    for path, source in hard_links.items():
        if source and (target / source).is_file() and not (target / path).exists():
            (target / path).parent.mkdir(parents=True, exist_ok=True)
            os.link(target / source, target / path)
    for path, destination in links.items():
        place = target / path
        if place.parent.resolve() == target.resolve() / Path(path).parent and not place.exists():
            place.symlink_to(destination)


def _inside(name: str) -> str | None:
    """An entry's path below the target, None for the target itself and for what would leave it."""
    parts = [part for part in name.split("/") if part not in ("", ".")]
    return None if not parts or ".." in parts else "/".join(parts)


def _write(archive: tarfile.TarFile, entry: tarfile.TarInfo, path: str, target: Path) -> int:
    """Write what is wanted of one file; returns how many bytes that took."""
    wanted = _CONTENT.search(path) is not None and entry.size <= MAX_FILE
    if not wanted and not _PRESENCE.search(path):
        return 0
    place = target / path
    place.parent.mkdir(parents=True, exist_ok=True)
    with place.open("xb") as file:
        content = archive.extractfile(entry) if wanted else None
        while content is not None and (chunk := content.read(MIB)):
            file.write(chunk)
        file.truncate(entry.size)  # sparse where only the size counts
    return entry.size if wanted else 0
