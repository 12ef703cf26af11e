"""Reads the distributions of one site directory: names, versions and content ids, from metadata files alone.

Specifications: https://packaging.python.org/en/latest/specifications/recording-installed-packages/
"""

import csv
import json
import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from typing import TypeAlias
from zipfile import BadZipFile, ZipFile

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from envparity_agent.collectors.python.search import join
from envparity_agent.collectors.redaction import url
from envparity_agent.errors import Unreadable
from envparity_agent.fingerprint import Attributes, Reason, Value
from envparity_agent.root import MIB, Root

MAX_ENTRIES = 50_000
MAX_METADATA = 4 * MIB
MAX_RECORD = 8 * MIB
MAX_EGG = 64 * MIB

_NAME = re.compile(r"^[A-Z0-9](?:[A-Z0-9._-]{0,198}[A-Z0-9])?$", re.IGNORECASE)  # PEP 508
_SIZE = re.compile(r"^[0-9]{1,15}$")

# files of the dist-info directory that tell how it was installed, not what: they differ between pip and uv
_INSTALLER_FILES = frozenset({
    "RECORD", "RECORD.jws", "RECORD.p7s", "INSTALLER", "REQUESTED", "direct_url.json",
    "uv_cache.json", "uv_build.json", "provenance_url.json",
})  # fmt: skip
_NOT_A_PATH = ("import ", "import\t", "#")


_Row: TypeAlias = tuple[str, str]  # path relative to the site directory, and the hash as RECORD has it


@dataclass(frozen=True)
class Distribution:
    """One installed distribution: where its metadata is, and what that says."""

    name: str  # normalised; empty where nothing can be imported by it
    site: str
    entry: str  # name of the metadata file or directory in the site directory
    attributes: Attributes

    @property
    def version(self) -> str:
        """The version as METADATA has it; empty where it has none."""
        return str(self.attributes.get("version") or "")


def read_entry(root: Root, site: str, reasons: set[str]) -> Iterator[Distribution]:
    """Yield the distributions at the top level of one entry of sys.path; raises Unreadable where it cannot be listed.

    Vendored metadata further down is not on sys.path and does not count. Adds to `reasons` why something was left out.
    """
    if site.endswith(".egg"):  # a directory or a zip that a .pth file names: one distribution
        parent, _, egg = site.rpartition("/")
        yield _read(root, parent, egg, "egg", reasons)
        return
    names = root.names(site)
    if len(names) > MAX_ENTRIES:
        reasons.add(Reason.CAP)
    for entry in names[:MAX_ENTRIES]:
        form = _form(entry)
        if form is not None:
            yield _read(root, site, entry, form, reasons)


def added_paths(root: Root, site: str, reasons: set[str]) -> Iterator[str]:
    """The directories that the .pth files of a site directory add to sys.path; import lines are never executed."""
    for name in root.names(site):
        if not name.endswith(".pth") or name.startswith("."):
            continue
        try:
            lines = root.read(join(site, name)).decode("utf-8", "replace").splitlines()
            for line in map(str.strip, lines):
                if line and not line.startswith(_NOT_A_PATH):
                    path = _normal(line if line.startswith("/") else f"{site}/{line}")
                    if _is_path_entry(root, path):
                        yield path
        except Unreadable as problem:
            reasons.add(problem.reason)


def _is_path_entry(root: Root, path: str) -> bool:
    return root.is_directory(path) or (path.endswith(".egg") and root.is_file(path))


def _normal(path: str) -> str:
    parts: list[str] = []
    for part in path.split("/"):
        if part == "..":
            del parts[-1:]
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)


def _form(entry: str) -> str | None:
    """What kind of metadata an entry of a site directory is; None for what is none."""
    suffix = entry.rpartition(".")[2]
    return suffix if suffix in ("dist-info", "egg-info") else None


def _metadata(root: Root, site: str, entry: str, form: str) -> bytes:
    place = join(site, entry)
    if form == "dist-info":
        return root.read(join(place, "METADATA"), MAX_METADATA)
    if root.is_directory(place):
        return root.read(join(place, "EGG-INFO/PKG-INFO" if form == "egg" else "PKG-INFO"), MAX_METADATA)
    return zipped_metadata(root, place) if form == "egg" else root.read(place, MAX_METADATA)


def zipped_metadata(root: Root, path: str) -> bytes:
    """PKG-INFO of a zipped egg; raises Unreadable."""
    try:
        with ZipFile(BytesIO(root.read(path, MAX_EGG))) as egg, egg.open("EGG-INFO/PKG-INFO") as file:
            content = file.read(MAX_METADATA + 1)
    except (BadZipFile, KeyError, OSError, NotImplementedError, RuntimeError, zlib.error) as problem:
        raise Unreadable(path, Reason.INVALID) from problem
    if len(content) > MAX_METADATA:
        raise Unreadable(path, Reason.CAP)
    return content


def _read(root: Root, site: str, entry: str, form: str, reasons: set[str]) -> Distribution:
    attributes: dict[str, Value] = {"form": form, "location": site}
    headers: dict[str, str] = {}
    try:
        headers = _headers(_metadata(root, site, entry, form), ("name", "version"))
        if not headers.get("name") or not headers.get("version"):
            attributes["problem"] = "no name or no version in the metadata"
    except Unreadable as problem:
        # an interrupted upgrade leaves a dist-info without METADATA: that is known, and what it was is not
        attributes["problem"] = "no metadata" if problem.reason == Reason.VANISHED else f"unread: {problem.reason}"
        if problem.reason != Reason.VANISHED:
            reasons.add(problem.reason)
    if headers.get("version"):
        attributes["version"] = headers["version"]
    if form == "dist-info":
        attributes |= _dist_info(root, site, entry, reasons)
    name = headers.get("name") or entry.rpartition(".")[0].split("-")[0]
    return Distribution(_key(name, entry), site, entry, attributes)


def _key(name: str, entry: str) -> str:
    """The normalised name; empty for what cannot be imported by one: no valid name, or a leftover of an upgrade."""
    return canonicalize_name(name) if _NAME.match(name) and not entry.startswith("~") else ""


def _headers(content: bytes, wanted: Iterable[str]) -> dict[str, str]:
    """The first value of each wanted header, in one pass over the header block."""
    head = re.split(rb"\r?\n\r?\n", content, maxsplit=1)[0].decode("utf-8", "backslashreplace")
    names = frozenset(wanted)
    found: dict[str, str] = {}
    for line in head.splitlines():
        key, separator, value = line.partition(":")
        key = key.lower()
        if separator and key in names and key not in found:
            found[key] = value.strip()
    return found


def _dist_info(root: Root, site: str, entry: str, reasons: set[str]) -> dict[str, Value]:
    facts: dict[str, Value] = {}
    for name, cap, parse in _FILES:
        try:
            content = root.read_if_there(join(site, entry, name), cap)
        except Unreadable as problem:
            reasons.add(problem.reason)
            facts["problem"] = f"unread: {name}: {problem.reason}"
            continue
        if content is not None:
            facts |= parse(content, entry)
    return facts


def _installer(content: bytes, _: str) -> dict[str, Value]:
    return {"installer": content.decode("utf-8", "replace").strip()}


def _wheel(content: bytes, _: str) -> dict[str, Value]:
    lines = [line.partition(":") for line in content.decode("utf-8", "replace").splitlines()]
    facts: dict[str, Value] = {"tags": tuple(sorted({value.strip() for key, _, value in lines if key == "Tag"}))}
    builds = [value.strip() for key, _, value in lines if key == "Build"]
    return {**facts, "build": builds[0]} if builds else facts


def _direct_url(content: bytes, _: str) -> dict[str, Value]:
    """The facts of PEP 610; a file that cannot be parsed has none."""
    try:
        document = json.loads(content)
        facts: dict[str, Value] = {"source": url(str(document["url"]))}
        if document.get("vcs_info", {}).get("commit_id"):
            facts["commit"] = str(document["vcs_info"]["commit_id"])
        if document.get("dir_info", {}).get("editable") is True:
            facts["editable"] = True
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {"problem": "direct_url.json: invalid"}
    return facts


def content_ids(record: bytes, entry: str) -> dict[str, Value]:
    """The content ids of a RECORD, from the rows that do not depend on who installed it, and where.

    Equal for pip and uv and for two prefixes; different for the wheel and the sdist build of one version.
    """
    try:
        rows = sorted(_rows(record, entry))
    except csv.Error:
        return {"problem": "RECORD: invalid"}
    code = [row for row in rows if not row[0].startswith("*.dist-info/")]
    pure = [row for row in code if row[0].endswith(".py")]
    return {"content": _hash(rows), "code": _hash(code), "pure": _hash(pure)}


def _rows(record: bytes, entry: str) -> set[_Row]:
    """The rows that count, each once, with a constant in the place of the dist-info directory's name."""
    prefix = f"{entry}/"
    rows: set[_Row] = set()
    for row in csv.reader(record.decode("utf-8", "replace").splitlines()):
        if not row:
            continue
        path, hash = row[0].replace("\\", "/"), row[1] if len(row) > 1 else ""
        if path.endswith(".pyc") or "__pycache__/" in path or path.startswith(("../", "/")) or ":" in path[:3]:
            continue
        if path.startswith(prefix):
            inner = path[len(prefix) :]
            if inner in _INSTALLER_FILES:
                continue
            path = f"*.dist-info/{inner}"
        rows.add((path, hash))
    return rows


def _hash(rows: Iterable[_Row]) -> str:
    text = "\n".join(f"{path},{hash}" for path, hash in rows)
    return f"sha256:{sha256(text.encode('utf-8', 'replace')).hexdigest()}"


_FILES: tuple[tuple[str, int, Callable[[bytes, str], dict[str, Value]]], ...] = (
    ("RECORD", MAX_RECORD, content_ids),
    ("WHEEL", MIB, _wheel),
    ("INSTALLER", MIB, _installer),
    ("direct_url.json", MIB, _direct_url),
)


def first_matching(root: Root, candidates: list[Distribution]) -> Distribution:
    """Of several distributions of one name in one directory, the one whose RECORD fits the files on disk.

    A stale dist-info beside the current one is what importlib.metadata may report, but never what is imported.
    """
    return max(candidates, key=lambda one: (_fit(root, one), _ordered(one.version), one.entry))


def _ordered(version: str) -> Version:
    try:
        return Version(version)
    except (InvalidVersion, ValueError):  # ValueError: more digits than int() takes
        return Version("0")


def _fit(root: Root, distribution: Distribution) -> int:
    """How many files are there with the size that RECORD says, less those that are not."""
    try:
        record = root.read(join(distribution.site, distribution.entry, "RECORD"), MAX_RECORD)
        rows = list(csv.reader(record.decode("utf-8", "replace").splitlines()))
    except (Unreadable, csv.Error):
        return -MAX_ENTRIES
    score = 0
    for path, size in ((row[0], row[2]) for row in rows if len(row) > 2 and _SIZE.match(row[2])):
        try:
            status = root.stat(join(distribution.site, path))
        except Unreadable:
            continue  # says neither that it fits nor that it does not
        score += 1 if status and status.st_size == int(size) else -1
    return score
