"""Reads the distributions of one site directory: names, versions and content ids, from metadata files alone.

Specifications: https://packaging.python.org/en/latest/specifications/recording-installed-packages/
"""

import csv
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import urlsplit, urlunsplit

from packaging.utils import canonicalize_name

from envparity_agent.collectors.python_search import join
from envparity_agent.errors import Unreadable
from envparity_agent.fingerprint import Attributes, Reason, Value
from envparity_agent.root import MIB, Root

MAX_ENTRIES = 50_000

# files of the dist-info directory that tell how it was installed, not what: they differ between pip and uv
_INSTALLER_FILES = frozenset({
    "RECORD", "RECORD.jws", "RECORD.p7s", "INSTALLER", "REQUESTED", "direct_url.json",
    "uv_cache.json", "uv_build.json", "provenance_url.json",
})  # fmt: skip
_NOT_A_PATH = ("import ", "import\t", "#")


@dataclass(frozen=True)
class Record:
    """One row of RECORD that counts: path relative to the site directory, and the hash as it is written there."""

    path: str
    hash: str


@dataclass(frozen=True)
class Distribution:
    """One installed distribution: where its metadata is, and what that says."""

    name: str  # normalised
    site: str
    entry: str  # name of the metadata file or directory in the site directory
    attributes: Attributes

    @property
    def version(self) -> str:
        """The version as METADATA has it; empty where it has none."""
        return str(self.attributes.get("version") or "")


def read_site(root: Root, site: str) -> Iterator[Distribution]:
    """Yield the distributions at the top level of one site directory; raises Unreadable where it cannot be listed.

    Vendored metadata further down is not on sys.path and does not count.
    """
    names = root.names(site)
    if len(names) > MAX_ENTRIES:
        raise Unreadable(site, Reason.CAP)
    for entry in names:
        metadata = _metadata_file(root, site, entry)
        if metadata is None:
            continue
        form, path = metadata
        yield _read(root, site, entry, form, path)


def added_paths(root: Root, site: str) -> Iterator[str]:
    """The directories that the .pth files of a site directory add to sys.path; import lines are never executed."""
    for name in root.names(site):
        if not name.endswith(".pth") or name.startswith("."):
            continue
        try:
            lines = root.read(join(site, name)).decode("utf-8", "replace").splitlines()
        except Unreadable:
            continue  # it adds nothing that could be read; site.py skips it as well
        for line in lines:
            line = line.strip()
            if line and not line.startswith(_NOT_A_PATH):
                path = _normal(line if line.startswith("/") else f"{site}/{line}")
                if root.is_directory(path):
                    yield path


def _normal(path: str) -> str:
    parts: list[str] = []
    for part in path.split("/"):
        if part == "..":
            del parts[-1:]
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)


def _metadata_file(root: Root, site: str, entry: str) -> tuple[str, str] | None:
    if entry.endswith(".dist-info"):
        return "dist-info", join(site, entry, "METADATA")
    if entry.endswith(".egg-info"):
        inner = join(site, entry, "PKG-INFO")
        return "egg-info", inner if root.is_directory(join(site, entry)) else join(site, entry)
    if entry.endswith(".egg") and root.is_directory(join(site, entry)):
        return "egg", join(site, entry, "EGG-INFO", "PKG-INFO")
    return None


def _read(root: Root, site: str, entry: str, form: str, path: str) -> Distribution:
    stem = entry.rpartition(".")[0]
    attributes: dict[str, Value] = {"form": form, "location": site}
    try:
        headers = _headers(root.read(path, cap=4 * MIB), ("name", "version"))
    except Unreadable as problem:
        # an interrupted upgrade leaves a dist-info without METADATA
        missing = problem.reason == Reason.VANISHED
        attributes["problem"] = "no metadata" if missing else f"metadata: {problem.reason}"
        headers = {}
    if headers.get("version"):
        attributes["version"] = headers["version"]
    if not headers.get("name") or not headers.get("version"):
        attributes.setdefault("problem", "no name or no version in the metadata")
    if form == "dist-info":
        attributes |= _dist_info(root, site, entry)
    name = headers.get("name") or stem.split("-")[0]
    return Distribution(canonicalize_name(name), site, entry, attributes)


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


def _dist_info(root: Root, site: str, entry: str) -> dict[str, Value]:
    facts: dict[str, Value] = {}
    try:
        record = root.read_if_there(join(site, entry, "RECORD"), cap=64 * MIB)
        facts |= content_ids(record, entry) if record is not None else {}
        wheel = root.read_if_there(join(site, entry, "WHEEL"))
        facts |= _wheel(wheel) if wheel is not None else {}
        installer = root.read_if_there(join(site, entry, "INSTALLER"))
        if installer:
            facts["installer"] = installer.decode("utf-8", "replace").strip()
        direct_url = root.read_if_there(join(site, entry, "direct_url.json"))
        facts |= _direct_url(direct_url) if direct_url is not None else {}
    except Unreadable as problem:
        facts["problem"] = f"{problem.path.rpartition('/')[2]}: {problem.reason}"
    return facts


def _wheel(content: bytes) -> dict[str, Value]:
    lines = [line.partition(":") for line in content.decode("utf-8", "replace").splitlines()]
    facts: dict[str, Value] = {"tags": tuple(sorted({value.strip() for key, _, value in lines if key == "Tag"}))}
    builds = [value.strip() for key, _, value in lines if key == "Build"]
    return {**facts, "build": builds[0]} if builds else facts


def _direct_url(content: bytes) -> dict[str, Value]:
    """The facts of PEP 610; a file that cannot be parsed has none."""
    try:
        document = json.loads(content)
        url = urlsplit(str(document["url"]))
        facts: dict[str, Value] = {"source": urlunsplit(url._replace(netloc=url.netloc.rpartition("@")[2], query=""))}
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
        rows = sorted(_rows(record, entry), key=lambda row: (row.path, row.hash))
    except csv.Error:
        return {"problem": "RECORD: invalid"}
    code = [row for row in rows if not row.path.startswith("*.dist-info/")]
    pure = [row for row in code if row.path.endswith(".py")]
    return {"content": _hash(rows), "code": _hash(code), "pure": _hash(pure)}


def _rows(record: bytes, entry: str) -> Iterator[Record]:
    seen = set()
    for row in csv.reader(record.decode("utf-8", "replace").splitlines()):
        if not row:
            continue
        path, hash = row[0].replace("\\", "/"), row[1] if len(row) > 1 else ""
        if path.endswith(".pyc") or "__pycache__/" in path or path.startswith(("../", "/")) or ":" in path[:3]:
            continue
        if path.startswith(f"{entry}/"):
            inner = path[len(entry) + 1 :]
            if inner in _INSTALLER_FILES:
                continue
            path = f"*.dist-info/{inner}"
        if (path, hash) not in seen:
            seen.add((path, hash))
            yield Record(path, hash)


def _hash(rows: Iterable[Record]) -> str:
    text = "\n".join(f"{row.path},{row.hash}" for row in rows)
    return f"sha256:{sha256(text.encode('utf-8', 'replace')).hexdigest()}"


def first_matching(root: Root, candidates: list[Distribution]) -> Distribution:
    """Of several distributions of one name in one directory, the one whose RECORD fits the files on disk.

    A stale dist-info beside the current one is what importlib.metadata may report, but never what is imported.
    """
    return max(candidates, key=lambda one: (_fit(root, one), one.entry))


def _fit(root: Root, distribution: Distribution) -> int:
    """How many files are there with the size that RECORD says, less those that are not."""
    try:
        record = root.read(join(distribution.site, distribution.entry, "RECORD"), cap=64 * MIB)
        rows = list(csv.reader(record.decode("utf-8", "replace").splitlines()))
    except (Unreadable, csv.Error):
        return -MAX_ENTRIES
    score = 0
    for path, size in ((row[0], row[2]) for row in rows if len(row) > 2 and row[2].isdigit()):
        status = root.stat(join(distribution.site, path))
        score += 1 if status and status.st_size == int(size) else -1
    return score
