"""Makes a directory out of tar archives: the wanted files of one, or of the layers of an image one over the other.

First everything is read and kept in memory by its path, with the wanted contents in a directory of their own; only
then the tree is made: each path once, symlinks last. So nothing is ever written through a link, or over anything.
"""

import os
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import IO, TypeAlias, Union

from envparity_agent.collectors.containers.streams import entries, pieces
from envparity_agent.collectors.reads import Wanted
from envparity_agent.errors import Unreadable
from envparity_agent.fingerprint import Reason
from envparity_agent.root import MIB

MAX_FILE = 256 * MIB
MAX_TOTAL = 4096 * MIB  # of all contents
UNREADABLE = 4 * 1024 * 1024 * MIB  # the size of a file that was too large to copy: too large to be read, too
MAX_ENTRIES = 2_000_000
MAX_KEPT = 500_000
MAX_PATH = 3500  # bytes: Linux takes no more than 4096, with the directory of the copy before it
MAX_NAME = 255
MAX_DEPTH = 200  # what removes the copy goes down by recursion

# https://github.com/opencontainers/image-spec/blob/main/layer.md#whiteouts
_WHITEOUT = ".wh."
_META = ".wh..wh."  # what AUFS keeps for itself
_OPAQUE = ".wh..wh..opq"


@dataclass(frozen=True)
class File:
    """A regular file: its size, and where its content was put if that is wanted."""

    size: int
    content: str | None = None


@dataclass(frozen=True)
class Link:
    """A symlink."""

    target: str


Directory: TypeAlias = dict[str, Union[File, Link, "Directory"]]
Node: TypeAlias = File | Link | Directory


@dataclass
class Layer:
    """What one archive adds and takes away, by path below the root."""

    directories: list[str] = field(default_factory=list)
    nodes: dict[str, File | Link] = field(default_factory=dict)
    hard_links: dict[str, str] = field(default_factory=dict)  # path -> the path that has the file
    whiteouts: list[str] = field(default_factory=list)  # what the layers below have there is gone
    opaque: list[str] = field(default_factory=list)  # what the layers below have in the directory is gone

    @property
    def count(self) -> int:
        """How much there is to remember."""
        return sum(map(len, (self.directories, self.nodes, self.hard_links, self.whiteouts, self.opaque)))


class Copy:
    """Reads archives, and then makes the tree; below a directory that is its own."""

    def __init__(self, place: str, wanted: Wanted) -> None:
        self._contents = os.path.join(place, "contents")
        self._root = os.path.join(place, "root")
        self._wanted = wanted
        self._entries = self._kept = self._written = 0
        os.mkdir(self._contents)

    def read(self, chunks: Iterable[bytes], layered: bool = False) -> Layer:
        """Read one tar archive; of a layer some names mean that something is gone.

        Raises Unreadable for more than a cap allows, and what `streams.faults_told` tells.
        """
        layer = Layer()
        for entry, content in entries(chunks):
            self._entries += 1
            path = _inside(entry.name)
            if path is None:
                continue
            folder, _, name = path.rpartition("/")
            if layered and name.startswith(_WHITEOUT):
                if name == _OPAQUE:
                    layer.opaque.append(folder)
                elif not name.startswith(_META):
                    layer.whiteouts.append(f"{folder}/{name.removeprefix(_WHITEOUT)}")
            elif entry.isdir():
                layer.directories.append(path)
            else:
                self._keep(layer, path, entry, content)
            if self._entries > MAX_ENTRIES or self._kept + layer.count > MAX_KEPT or self._written > MAX_TOTAL:
                raise Unreadable("archive", Reason.CAP)
        self._kept += layer.count
        return layer

    def _keep(self, layer: Layer, path: str, entry: tarfile.TarInfo, content: IO[bytes] | None) -> None:
        """Remember a file or a link; devices, FIFOs and sockets are left out."""
        if entry.issym() and _is_target(entry.linkname):
            layer.nodes[path] = Link(entry.linkname)
        elif entry.islnk() and (source := _inside(entry.linkname)):
            layer.hard_links[path] = source
        elif content is not None and self._wanted.content(path):
            small = entry.size <= MAX_FILE
            layer.nodes[path] = File(entry.size, self._put(content)) if small else File(max(entry.size, UNREADABLE))
        elif content is not None and self._wanted.presence(path):
            layer.nodes[path] = File(entry.size)

    def _put(self, content: IO[bytes]) -> str:
        place = os.path.join(self._contents, str(self._entries))
        with open(place, "xb") as file:
            for chunk in pieces(content):
                self._written += file.write(chunk)
        return place

    def make(self, layers: Iterable[Layer]) -> str:
        """Make the tree of these layers, the lowest first; returns its directory."""
        top: Directory = {}
        for layer in layers:
            _lay(top, layer)
        links: list[tuple[str, str]] = []
        pending: list[tuple[str, Directory]] = [(self._root, top)]
        while pending:
            place, directory = pending.pop()
            os.mkdir(place)
            for name, node in directory.items():
                path = f"{place}/{name}"
                if isinstance(node, Link):
                    links.append((path, node.target))
                elif isinstance(node, File):
                    _make_file(path, node)
                else:
                    pending.append((path, node))
        for path, target in links:
            os.symlink(target, path)
        return self._root


def _inside(name: str) -> str | None:
    """An entry's path below the root, None for the root itself and for what would leave it; raises Unreadable."""
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if not parts or ".." in parts or "\0" in name:
        return None
    path = "/".join(parts)
    if (
        len(parts) > MAX_DEPTH
        or len(os.fsencode(path)) > MAX_PATH
        or any(len(os.fsencode(part)) > MAX_NAME for part in parts)
    ):
        raise Unreadable("archive", Reason.CAP)
    return path


def _is_target(text: str) -> bool:
    """Whether a symlink can lead to a text."""
    return bool(text) and "\0" not in text and len(os.fsencode(text)) <= MAX_PATH


def _make_file(path: str, file: File) -> None:
    if file.content is not None:
        os.link(file.content, path)
        return
    with open(path, "xb") as made:
        made.truncate(file.size)  # sparse


def _lay(top: Directory, layer: Layer) -> None:
    """Lay one layer over those that are there already."""
    for path in layer.opaque:
        found = _find(top, path)
        if isinstance(found, dict):
            found.clear()
    for path in layer.whiteouts:
        folder, _, name = path.rpartition("/")
        above = _find(top, folder)
        if isinstance(above, dict):
            above.pop(name, None)
    for path in layer.directories:
        _directory(top, path)
    for path, node in layer.nodes.items():
        folder, _, name = path.rpartition("/")
        _directory(top, folder)[name] = node
    for path, source in layer.hard_links.items():
        linked = _find(top, source)
        if linked is not None and not isinstance(linked, dict):
            folder, _, name = path.rpartition("/")
            _directory(top, folder)[name] = linked


def _find(top: Directory, path: str) -> Node | None:
    found: Node | None = top
    for part in filter(None, path.split("/")):
        if not isinstance(found, dict):
            return None
        found = found.get(part)
    return found


def _directory(top: Directory, path: str) -> Directory:
    """The directory at a path, made with those above it; what is there and is none gives way."""
    here = top
    for part in filter(None, path.split("/")):
        below = here.get(part)
        if not isinstance(below, dict):
            below = here[part] = {}
        here = below
    return here
