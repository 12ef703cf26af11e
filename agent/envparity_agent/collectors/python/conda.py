"""Reads what conda installed into a prefix: one JSON file for each package in `conda-meta`.

https://docs.conda.io/projects/conda/en/stable/dev-guide/api/conda/models/records/index.html
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from envparity_agent.collectors.interface import Subject
from envparity_agent.collectors.memory import stamp
from envparity_agent.collectors.paths import join, normal
from envparity_agent.collectors.reads import Reads
from envparity_agent.collectors.redaction import url
from envparity_agent.errors import Unreadable
from envparity_agent.fingerprint import Reason, Value
from envparity_agent.root import MIB, Root

READS = Reads(content=(r"conda-meta/[^/]*\.json",))

MAX_PACKAGES = 5000
MAX_PACKAGE = 32 * MIB  # the files of one package are listed twice

_METADATA = re.compile(r"^(.+\.(?:dist-info|egg-info))(?:/(?:METADATA|PKG-INFO))?$")
_TOKEN = re.compile(r"/t/[^/]+")  # a channel that wants a token has it in its path
_PLATFORM = re.compile(r"/(?:noarch|(?:linux|osx|win|freebsd|emscripten|wasi|zos)-\w+)$")
_DIGESTS = {"sha256": re.compile(r"^[0-9a-f]{64}$"), "md5": re.compile(r"^[0-9a-f]{32}$")}


@dataclass(frozen=True)
class Package:
    """One conda package: the build string is part of its identity, as it tells mkl from openblas."""

    name: str
    version: str
    build: str
    channel: str
    content: str  # hash of the archive
    distributions: frozenset[str]  # paths below the prefix of the metadata that it brought

    @property
    def owner(self) -> str:
        """The package as the owner of a Python distribution."""
        return f"conda:{self.name} {self.version} {self.build}"

    def facts(self) -> dict[str, Value]:
        """The attributes of an item."""
        facts = {"version": self.version, "build": self.build, "channel": self.channel, "content": self.content}
        return {name: value for name, value in facts.items() if value}


@dataclass
class Conda:
    """The packages of one prefix, and which of them a Python distribution belongs to."""

    packages: list[Package] = field(default_factory=list)
    owners: dict[str, Package] = field(default_factory=dict)  # path of a metadata directory or file -> package


def read_conda(subject: Subject, prefix: str, reasons: set[str]) -> Conda:
    """The conda packages of a prefix, none where conda did not make it; adds to `reasons` why some are left out."""
    root, found = subject.root, Conda()
    folder = join(prefix, "conda-meta")
    try:
        names = [name for name in root.names(folder) if name.endswith(".json")]
    except Unreadable as problem:
        reasons.add(problem.reason)
        return found
    if len(names) > MAX_PACKAGES:
        reasons.add(Reason.CAP)
    for name in names[:MAX_PACKAGES]:
        path = join(folder, name)
        try:
            key = ("conda", subject.prefix, path)
            package = subject.memory.recall(key, stamp(root, path), partial(_read, root, path))
        except Unreadable as problem:
            reasons.add(problem.reason)
            continue
        found.packages.append(package)
        found.owners |= dict.fromkeys((join(prefix, place) for place in package.distributions), package)
    return found


def _read(root: Root, path: str) -> Package:
    try:
        document = json.loads(root.read(path, MAX_PACKAGE))
        return Package(
            name=_text(document["name"]),
            version=_text(document["version"]),
            build=_text(document.get("build") or document.get("build_string") or ""),
            channel=_channel(_text(document.get("channel") or "")),
            content=_content(document),
            distributions=frozenset(_distributions(document.get("files"))),
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise Unreadable(path, Reason.INVALID) from None


def _distributions(files: Any) -> Iterator[str]:
    for file in files if isinstance(files, list) else ():
        found = _METADATA.match(file) if isinstance(file, str) and "-info" in file else None
        if found:
            yield normal(found.group(1))


def _channel(text: str) -> str:
    """A channel by its name: without the host, which may be a mirror, a token, and the platform's directory."""
    parts = urlsplit(url(text))
    path = _TOKEN.sub("", parts.path) if parts.netloc else parts.path
    return _PLATFORM.sub("", path.rstrip("/")).strip("/")


def _content(document: Any) -> str:
    for algorithm, form in _DIGESTS.items():
        digest = document.get(algorithm)
        if isinstance(digest, str) and form.match(digest):
            return f"{algorithm}:{digest}"
    return ""


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("no text")
    return value
