"""What one native library is: the version that its own text tells, and its build id or else its content."""

import hashlib
import os
import re
from collections.abc import Iterator

from envparity_agent.collectors.system.loader import File, Loader
from envparity_agent.errors import Unreadable
from envparity_agent.fingerprint import Reason, Value
from envparity_agent.root import MIB, Root

_MAX_FILE = 512 * MIB
_CHUNK = MIB
_OVERLAP = 128  # longer than what any of the patterns matches

OPENSSL = "libcrypto.so"

# OpenSSL and LibreSSL
_OPENSSL_TEXT = rb"SSL (\d\.\d{1,3}\.\d{1,3}[\w.+~-]{0,24}) {1,4}(?:FIPS )?\d{1,2} [A-Z][a-z]{2} \d{4}"
# start of the soname -> where the library's text tells its version: a string of its own, or part of one. Each begins
# with what it must contain, which `re` finds at the speed of memory. Of libpython section `python` tells it.
_VERSIONS = {
    name: re.compile(pattern)
    for name, pattern in (
        (OPENSSL, _OPENSSL_TEXT),
        ("libssl.so", _OPENSSL_TEXT),
        ("libsqlite3.so", rb"(3\.(?<![\w.]3\.)\d{1,3}\.\d{1,3})\x00"),
        ("libz.so", rb"deflate (\d[\w.-]{0,32}) Copyright"),
        ("libexpat.so", rb"expat_(\d{1,3}\.\d{1,3}\.\d{1,3})\x00"),
        ("libbz2.so", rb"(1\.(?<![\w.]1\.)\d{1,3}\.\d{1,3}), \d{1,2}-[A-Z][a-z]{2}-\d{4}"),
        ("liblzma.so", rb"(5\.(?<![\w.]5\.)\d{1,3}\.\d{1,3}(?:alpha|beta)?)\x00"),
        ("libzstd.so", rb"(1\.(?<![\w.]1\.)\d{1,3}\.\d{1,3})\x00"),
    )
}


def identity(root: Root, loader: Loader, name: str, file: File) -> dict[str, Value]:
    """The attributes that tell one build of a library from another; what cannot be read is in the loader's reasons."""
    attributes: dict[str, Value] = {}
    known = next((start for start in _VERSIONS if name.startswith(start)), None)
    version = told_version(root, loader, known, file.path) if known else None
    if version:
        attributes["version"] = version
    if file.elf.build_id:
        attributes["build_id"] = file.elf.build_id
        return attributes
    try:
        attributes["content"] = loader.remembered("content", file.path, lambda: _content(root, file.path))
    except Unreadable as problem:
        loader.reasons.add(problem.reason)
    return attributes


def told_version(root: Root, loader: Loader, library: str, path: str) -> str | None:
    """The version of one of the known libraries that the text of a file tells; the file may hold a static copy."""
    try:
        return loader.remembered(f"version of {library}", path, lambda: _search(root, path, _VERSIONS[library]))
    except Unreadable as problem:
        loader.reasons.add(problem.reason)
        return None


def _search(root: Root, path: str, pattern: re.Pattern[bytes]) -> str | None:
    before = b""
    for chunk in _chunks(root, path):
        found = pattern.search(before + chunk)
        if found:
            return found.group(1).decode("ascii", "replace")
        before = chunk[-_OVERLAP:]
    return None


def _content(root: Root, path: str) -> str:
    sha256 = hashlib.sha256()
    for chunk in _chunks(root, path):
        sha256.update(chunk)
    return sha256.hexdigest()


def _chunks(root: Root, path: str) -> Iterator[bytes]:
    """A file piece by piece: a static interpreter is large, and is never held as a whole."""
    with root.regular(path) as descriptor:
        size = 0
        while chunk := os.read(descriptor, _CHUNK):
            size += len(chunk)
            if size > _MAX_FILE:
                raise Unreadable(path, Reason.CAP)
            yield chunk
