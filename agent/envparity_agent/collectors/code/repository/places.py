"""Finds the repository of a directory, and which commit is checked out in it.

https://git-scm.com/docs/gitrepository-layout, https://git-scm.com/docs/git-worktree, extensions:
https://git-scm.com/docs/repository-version
"""

import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass

from envparity_agent.collectors.code.repository import settings
from envparity_agent.collectors.paths import join
from envparity_agent.errors import Unreadable
from envparity_agent.fingerprint import Reason
from envparity_agent.root import MIB, Root

_ID = re.compile(r"(?:[0-9a-f]{40}|[0-9a-f]{64})")
_MAX_LINKS = 5  # of references that name references, as in git
# extensions that change nothing about what is read here
_HARMLESS = frozenset({
    "compatobjectformat", "noop", "noop-v1", "objectformat", "partialclone", "preciousobjects", "refstorage",
    "relativeworktrees", "worktreeconfig",
})  # fmt: skip


@dataclass(frozen=True)
class Repository:
    """A work tree and what belongs to it; all paths are below the root."""

    root: Root
    top: str  # the directory that is checked out
    directory: str  # what is this work tree's own: HEAD, index
    common: str  # what all work trees of the repository share: objects, references, configuration
    settings: Mapping[str, str]
    algorithm: str  # sha1 or sha256

    @property
    def index(self) -> str:
        """The file that lists what git tracks."""
        return join(self.directory, "index")

    def flag(self, name: str, default: bool) -> bool:
        """A setting that is true or false; raises Unreadable."""
        try:
            return settings.flag(self.settings, name, default)
        except ValueError:
            raise Unreadable(join(self.common, "config"), Reason.INVALID) from None


@dataclass(frozen=True)
class Head:
    """What HEAD says; there is no commit before the first one, and no branch when it is detached."""

    commit: str | None
    branch: str | None


def find(root: Root, directory: str) -> Repository | None:
    """The repository whose work tree a directory lies in, None where there is none; raises Unreadable."""
    place = root.resolved(directory)
    while True:
        found = at(root, place)
        if found or not place:
            return found
        place = place.rpartition("/")[0]


def at(root: Root, top: str) -> Repository | None:
    """The repository whose work tree begins at a directory, None where none does; raises Unreadable."""
    dot = join(top, ".git")
    status = root.stat(dot)
    if status is None:
        return None
    directory = dot
    if stat.S_ISREG(status.st_mode):
        directory = _linked(root, dot, b"gitdir: ", top)
    elif not stat.S_ISDIR(status.st_mode):
        return None
    common = directory
    if root.is_file(join(directory, "commondir")):
        common = _linked(root, join(directory, "commondir"), b"", directory)
    if not (root.is_file(join(directory, "HEAD")) and root.is_directory(join(common, "objects"))):
        if directory != dot:
            raise Unreadable(directory, Reason.VANISHED)  # a link to a repository that is elsewhere
        return None  # a directory of that name that is none, as git sees it
    return _configured(root, top, directory, common)


def _linked(root: Root, path: str, prefix: bytes, base: str) -> str:
    """The directory that a one-line file names, relative to a base or to the root."""
    content = root.read(path, cap=64 * 1024).rstrip(b"\r\n")
    target = content.removeprefix(prefix).decode("utf-8", "surrogateescape")
    if not content.startswith(prefix) or not target:
        raise Unreadable(path, Reason.INVALID)
    return target.lstrip("/") if target.startswith("/") else join(base, target)


def _configured(root: Root, top: str, directory: str, common: str) -> Repository:
    path = join(common, "config")
    try:
        read = settings.parse(root.read_if_there(path) or b"")
        if settings.flag(read, "extensions.worktreeconfig", default=False):
            read |= settings.parse(root.read_if_there(join(directory, "config.worktree")) or b"")
        version = int(read.get("core.repositoryformatversion", "0"))
        bare = directory == common and settings.flag(read, "core.bare", default=False)
    except ValueError:
        raise Unreadable(path, Reason.INVALID) from None
    extensions = {name.removeprefix("extensions.") for name in read if name.startswith("extensions.")}
    algorithm = read.get("extensions.objectformat", "sha1").lower()
    if (
        version not in (0, 1)
        or (version == 1 and not extensions <= _HARMLESS)
        or read.get("extensions.refstorage", "files") != "files"
        or algorithm not in ("sha1", "sha256")
        or bare
        or not _is_checked_out_at(root, top, directory, read.get("core.worktree"))
    ):
        raise Unreadable(path, Reason.UNSUPPORTED)
    return Repository(root, top, directory, common, read, algorithm)


def _is_checked_out_at(root: Root, top: str, directory: str, setting: str | None) -> bool:
    """Whether core.worktree, which submodules have, names the directory in which the repository was found."""
    if not setting:
        return True
    place = setting if setting.startswith("/") else join(directory, setting)
    try:
        return root.resolved(place) == root.resolved(top)
    except Unreadable:
        return False


def head(repository: Repository) -> Head:
    """Follow HEAD; raises Unreadable."""
    path = join(repository.directory, "HEAD")
    content: str | None = _text(repository.root.read(path, cap=4096))
    branch = None
    for _ in range(_MAX_LINKS):
        if content is None or _ID.fullmatch(content):
            return Head(content, branch)
        name = content.removeprefix("ref:").strip()
        if not content.startswith("ref:") or not _is_reference(name):
            break
        branch = name.removeprefix("refs/heads/")
        content = _reference(repository, name)
    raise Unreadable(path, Reason.INVALID)


def _is_reference(name: str) -> bool:
    return name.startswith("refs/") and not {"", ".", ".."} & set(name.split("/")) and "\0" not in name


def _reference(repository: Repository, name: str) -> str | None:
    """What a reference holds: its own file, else a line of packed-refs; None where there is none."""
    private = name.startswith(("refs/bisect/", "refs/rewritten/", "refs/worktree/"))
    try:
        path = join(repository.directory if private else repository.common, name)
        loose = repository.root.read_if_there(path, cap=4096)
        if loose is not None:
            return _text(loose)
    except Unreadable as problem:
        if problem.reason != Reason.NOT_REGULAR:  # a directory of other references, or empty and left over
            raise
    packed = repository.root.read_if_there(join(repository.common, "packed-refs"), cap=64 * MIB) or b""
    before, found, _ = packed.partition(b" " + name.encode("utf-8", "surrogateescape") + b"\n")
    return _text(before.rpartition(b"\n")[2]) if found else None


def _text(content: bytes) -> str:
    return content.decode("utf-8", "surrogateescape").strip()
