"""Reads the distributions of one entry of sys.path from their metadata files; what they hold is never executed.

https://packaging.python.org/en/latest/specifications/recording-installed-packages/
"""

import re
import zlib
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from io import BytesIO
from zipfile import BadZipFile, ZipFile

from packaging.utils import canonicalize_name

from envparity_agent.collectors.interface import Subject
from envparity_agent.collectors.paths import join
from envparity_agent.collectors.python.direct_url import local_directory, read_direct_url, read_provenance
from envparity_agent.collectors.python.editable import egg_link, helpers, source_directory
from envparity_agent.collectors.python.metadata import MAX_METADATA, Headers, egg_requirements, read_headers
from envparity_agent.collectors.python.record import MAX_RECORD, content_ids
from envparity_agent.collectors.reads import SITES, Reads
from envparity_agent.errors import Unreadable
from envparity_agent.fingerprint import Attributes, Reason, Value
from envparity_agent.root import MIB, Directory, Root

READS = Reads(
    content=(
        r"(?:METADATA|RECORD|WHEEL|INSTALLER|PKG-INFO|requires\.txt|(?:direct|provenance)_url\.json)",
        r"[^/]*\.(?:egg-info|egg-link|egg)",
        r"__editable__[^/]*",
    ),
    presence=(rf"{SITES}.*",),
)

MAX_ENTRIES = 50_000
MAX_KEPT = 32 * MIB  # characters of requirements below one root; a thousand large environments have less
MAX_EGG = 64 * MIB

_NAME = re.compile(r"^[A-Z0-9](?:[A-Z0-9._-]{0,198}[A-Z0-9])?$", re.IGNORECASE)  # PEP 508
_FORMS = ("dist-info", "egg-info", "egg", "egg-link")


@dataclass(frozen=True)
class Distribution:
    """One installed distribution: where its metadata is, and what that says."""

    name: str  # normalised; empty where nothing can be imported by it
    site: str
    entry: str  # name of the metadata file or directory in the site directory
    attributes: Attributes
    metadata: str  # path of the file that holds its name and version
    requires: tuple[str, ...] = ()
    source: str | None = None  # directory below the root that an editable installation imports from
    reasons: frozenset[str] = frozenset()  # why not all of it was read

    @property
    def version(self) -> str:
        """The version as METADATA has it; empty where it has none."""
        return str(self.attributes.get("version") or "")

    @property
    def place(self) -> str:
        """The path of the metadata file or directory."""
        return join(self.site, self.entry)

    @property
    def record(self) -> str | None:
        """The path of its RECORD; None for a form that has none."""
        return join(self.place, "RECORD") if self.attributes["form"] == "dist-info" else None


def read_entry(subject: Subject, site: str, names: Sequence[str], reasons: set[str]) -> Iterator[Distribution]:
    """Yield the distributions at the top level of an entry of sys.path with these names in it.

    Vendored metadata further down is not on sys.path and does not count. Adds to `reasons` why something was left out.
    Raises Unreadable where the entry cannot be opened.
    """
    if site.endswith(".egg"):  # a directory or a zip that a .pth file names: one distribution
        parent, _, egg = site.rpartition("/")
        found = _egg(subject.root, parent, egg)
        reasons.update(found.reasons)
        yield found
        return
    if not names:
        return
    if len(names) > MAX_ENTRIES:
        reasons.add(Reason.CAP)
    kept = subject.memory.once(("kept of metadata", subject.prefix), _Kept)
    with subject.root.directory(site) as folder:
        for entry in names[:MAX_ENTRIES]:
            form = entry.rpartition(".")[2]
            if form == "dist-info":
                found = _remembered(subject, folder, site, entry)
            elif form in _FORMS and entry != form:
                found = _READERS[form](subject.root, site, entry)
            else:
                continue
            kept.characters += sum(map(len, found.requires))
            if kept.characters > MAX_KEPT:
                reasons.add(Reason.CAP)
                return
            reasons.update(found.reasons)
            yield found


@dataclass
class _Kept:
    """How much of the metadata below one root is kept in this survey."""

    characters: int = 0


def _remembered(subject: Subject, folder: Directory, site: str, entry: str) -> Distribution:
    """A dist-info, read anew only where it changed; one that could not be read is tried again each time."""
    key = ("distribution", subject.prefix, site, entry)
    try:
        with folder.directory(entry) as inner:
            found = subject.memory.recall(key, _stamp(inner), partial(_dist_info, subject.root, inner, site, entry))
    except Unreadable as problem:
        return _Draft("dist-info", site, entry).unread(problem).distribution(Headers())
    return subject.memory.recall(key, None, lambda: found) if found.reasons else found


def _stamp(folder: Directory) -> Hashable:
    """What changes when a dist-info does; an edit in place of a file moves no time of its directory."""
    files: list[Hashable] = []
    for name in ("", "METADATA", "RECORD"):
        found = folder.stat(name)
        files.append(found and (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns))
    return tuple(files)


@dataclass
class _Draft:
    """A distribution while it is read."""

    form: str
    site: str
    entry: str
    metadata: str = ""  # path below the entry
    facts: dict[str, Value] = field(default_factory=dict)
    reasons: set[str] = field(default_factory=set)
    source: str | None = None

    def unread(self, problem: Unreadable, file: str = "") -> "_Draft":
        """Say that a file could not be read; without a name it is the metadata itself."""
        if file or problem.reason != Reason.VANISHED:
            self.reasons.add(problem.reason)
            self.facts["problem"] = f"unread: {file}: {problem.reason}" if file else f"unread: {problem.reason}"
        else:  # an interrupted upgrade leaves a dist-info without METADATA: that is known, and what it was is not
            self.facts["problem"] = "no metadata"
        return self

    def read(self, file: str, read: Callable[[], bytes]) -> bytes | None:
        """What `read` gives; None, and a problem, where it cannot."""
        try:
            return read()
        except Unreadable as problem:
            self.unread(problem, file)
            return None

    def headers(self, read: Callable[[], bytes]) -> Headers:
        """The metadata's headers; a problem where they cannot be read, or tell no name or no version."""
        try:
            found = read_headers(read())
        except Unreadable as problem:
            self.unread(problem)
            return Headers()
        if not found.name or not found.version:
            self.facts["problem"] = "no name or no version in the metadata"
        return found

    def distribution(self, headers: Headers) -> Distribution:
        """What was read of it."""
        written = headers.name or self.entry.rpartition(".")[0].split("-")[0]
        # no valid name, or what pip moved aside in an upgrade: nothing imports by it
        valid = _NAME.match(written) and not self.entry.startswith("~")
        name = canonicalize_name(written) if valid else ""
        facts: dict[str, Value] = {"form": self.form, "location": self.site, **headers.facts(), **self.facts}
        if headers.name and headers.name != name:
            facts["display"] = headers.name
        metadata = join(self.site, self.entry, self.metadata)
        return Distribution(
            name, self.site, self.entry, facts, metadata, headers.requires, self.source, frozenset(self.reasons)
        )


def _dist_info(root: Root, folder: Directory, site: str, entry: str) -> Distribution:
    draft = _Draft("dist-info", site, entry, "METADATA")
    headers = draft.headers(lambda: folder.read("METADATA", MAX_METADATA))
    names = frozenset(folder.names())
    record = draft.read("RECORD", lambda: folder.read("RECORD", MAX_RECORD)) if "RECORD" in names else None
    if record is not None:
        draft.facts |= content_ids(record, entry)
    for name, parse in _FILES:
        content = draft.read(name, partial(folder.read, name)) if name in names else None
        if content is not None:
            draft.facts |= parse(content)
    if "REQUESTED" in names:
        draft.facts["requested"] = True
    _find_source(root, draft, record or b"")
    return draft.distribution(headers)


def _find_source(root: Root, draft: _Draft, record: bytes) -> None:
    """Set the source directory of an editable installation."""
    if draft.facts.get("editable"):
        draft.source = local_directory(str(draft.facts["source"]))
        return
    found = helpers(record) if b"__editable__" in record and "source" not in draft.facts else []
    try:
        draft.source = source_directory(found, lambda name: root.read(join(draft.site, name)))
    except Unreadable as problem:
        draft.unread(problem, problem.path.rpartition("/")[2])
    if draft.source is not None:
        draft.facts["editable"] = True


def _installer(content: bytes) -> dict[str, Value]:
    return {"installer": content.decode("utf-8", "replace").strip()}


def _wheel(content: bytes) -> dict[str, Value]:
    lines = [line.partition(":") for line in content.decode("utf-8", "replace").splitlines()]
    facts: dict[str, Value] = {"tags": tuple(sorted({value.strip() for key, _, value in lines if key == "Tag"}))}
    builds = [value.strip() for key, _, value in lines if key == "Build"]
    return {**facts, "build": builds[0]} if builds else facts


# a later one's facts win: PEP 710 has provenance_url.json only where there is no direct_url.json
_FILES: tuple[tuple[str, Callable[[bytes], dict[str, Value]]], ...] = (
    ("WHEEL", _wheel),
    ("INSTALLER", _installer),
    ("provenance_url.json", read_provenance),
    ("direct_url.json", read_direct_url),
)


def _egg_info(root: Root, site: str, entry: str) -> Distribution:
    """An .egg-info: a directory of setuptools', or the one file that distutils wrote."""
    draft = _Draft("egg-info", site, entry)
    return _legacy(root, draft, "PKG-INFO", "requires.txt")


def _egg(root: Root, site: str, entry: str) -> Distribution:
    """An .egg: a directory or a zip."""
    draft = _Draft("egg", site, entry)
    return _legacy(root, draft, "EGG-INFO/PKG-INFO", "EGG-INFO/requires.txt")


def _legacy(root: Root, draft: _Draft, metadata: str, requirements: str) -> Distribution:
    place = join(draft.site, draft.entry)
    try:
        directory = root.is_directory(place)
    except Unreadable as problem:
        return draft.unread(problem).distribution(Headers())
    if not directory:
        zipped = draft.form == "egg"
        return draft.distribution(
            draft.headers(lambda: zipped_metadata(root, place) if zipped else root.read(place, MAX_METADATA))
        )
    draft.metadata = metadata
    headers = draft.headers(lambda: root.read(join(place, metadata), MAX_METADATA))
    if not headers.requires:
        wanted = draft.read("requires.txt", lambda: root.read_if_there(join(place, requirements)) or b"")
        headers = Headers(headers.name, headers.version, headers.requires_python, egg_requirements(wanted or b""))
    return draft.distribution(headers)


def _egg_link(root: Root, site: str, entry: str) -> Distribution:
    """What `setup.py develop` leaves: the way to the sources, in which the .egg-info lies."""
    draft = _Draft("egg-link", site, entry, facts={"editable": True})
    content = draft.read(entry, lambda: root.read(join(site, entry)))
    if content is None:
        return draft.distribution(Headers())
    place, draft.source = egg_link(content)
    draft.facts["source"] = f"file:///{draft.source}"
    wanted = canonicalize_name(entry.removesuffix(".egg-link"))
    try:
        folders = [one for one in root.names(place) if one.endswith(".egg-info")]
    except Unreadable as problem:
        return draft.unread(problem).distribution(Headers())
    named = [one for one in folders if canonicalize_name(one.removesuffix(".egg-info").split("-")[0]) == wanted]
    if not named:
        draft.facts["problem"] = "no metadata"
        return draft.distribution(Headers())
    inner = _egg_info(root, place, named[0])
    kept = {key: value for key, value in inner.attributes.items() if key not in ("form", "location")}
    return Distribution(
        inner.name, site, entry, {"form": "egg-link", "location": site, **kept, **draft.facts},
        inner.metadata, inner.requires, draft.source, inner.reasons,
    )  # fmt: skip


_READERS: dict[str, Callable[[Root, str, str], Distribution]] = {
    "egg-info": _egg_info,
    "egg": _egg,
    "egg-link": _egg_link,
}


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
