"""Reads the package database of RPM, in its SQLite format (rpm 4.16 and later).

The older formats, Berkeley DB and NDB, are told as unsupported: reading them would take rpm itself.
See https://rpm-software-management.github.io/rpm/manual/
"""

from collections.abc import Collection, Hashable, Iterator

from envparity_agent.collectors.memory import stamp
from envparity_agent.collectors.system.database import Database, Files, Package, Wanted
from envparity_agent.collectors.system.rpm_header import Header, Malformed, Tag, numbers, parse, text, texts
from envparity_agent.collectors.system.sqlite import Tables
from envparity_agent.errors import Unreadable
from envparity_agent.fingerprint import MAX_ITEMS, Reason
from envparity_agent.root import Root

_PLACES = ("var/lib/rpm", "usr/lib/sysimage/rpm", "usr/share/rpm")
_SQLITE = "rpmdb.sqlite"
_JOURNALS = ("rpmdb.sqlite-wal", "rpmdb.sqlite-journal")  # empty unless somebody is writing, or died of it
_OLDER = ("Packages", "Packages.db")  # Berkeley DB, NDB
_KEYS = "gpg-pubkey"  # the keys that signatures are checked with are kept like packages

_VERSION = (Tag.NAME, Tag.EPOCH, Tag.VERSION, Tag.RELEASE)
_PACKAGE = frozenset({*_VERSION, Tag.ARCH, Tag.SOURCERPM, Tag.SHA256HEADER, Tag.SHA1HEADER, Tag.SIGMD5})
_FILES = frozenset({*_VERSION, Tag.ARCH, Tag.DIRNAMES, Tag.DIRINDEXES, Tag.BASENAMES})


def stamps(root: Root) -> Hashable:
    """What changes when the database does."""
    return tuple(stamp(root, f"{place}/{name}") for place in _PLACES for name in (_SQLITE, *_JOURNALS, *_OLDER))


def read(root: Root) -> Database | None:
    """The installed packages, the last installed last; raises Unreadable for a format that is not read."""
    place = _place(root)
    if place is None:
        return None
    reasons: set[str] = set()
    journals = [root.stat(f"{place}/{name}") for name in _JOURNALS]
    if any(journal and journal.st_size for journal in journals):
        reasons.add(Reason.UNSUPPORTED)  # what they hold is not what the database itself says
    packages = [_package(header) for header in _headers(root, place, _PACKAGE, reasons)]
    if not all(one.name and one.version for one in packages):
        reasons.add(Reason.INVALID)
    return Database(tuple(one for one in packages if one.name and one.name != _KEYS), frozenset(reasons))


def files(root: Root, wanted: Wanted) -> Files:
    """The wanted files of each package; raises Unreadable where not all headers could be read."""
    place = _place(root)
    if place is None:
        return
    reasons: set[str] = set()
    for header in _headers(root, place, _FILES, reasons):
        found = wanted(_paths(header))
        if found:
            yield _package(header).label, found
    if reasons:
        raise Unreadable(place, min(reasons))


def _place(root: Root) -> str | None:
    """The directory of the database; raises Unreadable where there is one of an older format only."""
    for place in _PLACES:
        if root.is_file(f"{place}/{_SQLITE}"):
            return place
    for place in _PLACES:
        if any(root.stat(f"{place}/{name}") for name in _OLDER):
            raise Unreadable(place, Reason.UNSUPPORTED)
    return None


def _headers(root: Root, place: str, wanted: Collection[int], reasons: set[str]) -> Iterator[Header]:
    """The headers that can be read; why there are not more is added to `reasons`."""
    path = f"{place}/{_SQLITE}"
    try:
        with root.regular(path) as descriptor:
            tables = Tables(descriptor, path)
            if not tables.has("Packages"):
                reasons.add(Reason.INVALID)
            for count, row in enumerate(tables.rows("Packages")):
                if count == MAX_ITEMS:
                    raise Unreadable(path, Reason.CAP)
                blob = row.get("blob")
                try:
                    yield parse(blob if isinstance(blob, bytes) else b"", wanted)
                except Malformed:
                    reasons.add(Reason.INVALID)
    except Unreadable as problem:
        reasons.add(problem.reason)


def _package(header: Header) -> Package:
    epoch = numbers(header, Tag.EPOCH)
    version, release = text(header, Tag.VERSION), text(header, Tag.RELEASE)
    return Package(
        "rpm",
        text(header, Tag.NAME),
        f"{f'{epoch[0]}:' if epoch else ''}{version}-{release}" if version and release else "",
        text(header, Tag.ARCH),
        source=text(header, Tag.SOURCERPM),
        content=_content(header),
    )


def _content(header: Header) -> str:
    """The hash of the package's own header, which holds those of its files; else that of the whole package."""
    for algorithm, tag in (("sha256", Tag.SHA256HEADER), ("sha1", Tag.SHA1HEADER)):
        if text(header, tag):
            return f"{algorithm}:{text(header, tag)}"
    whole = header.get(Tag.SIGMD5)
    return f"md5:{whole.hex()}" if isinstance(whole, bytes) and whole else ""


def _paths(header: Header) -> list[bytes]:
    """The package's files; a file whose directory is not in the list is left out."""
    directories = [one.lstrip(b"/") for one in texts(header, Tag.DIRNAMES)]
    pairs = zip(numbers(header, Tag.DIRINDEXES), texts(header, Tag.BASENAMES), strict=False)
    return [directories[number] + name for number, name in pairs if number < len(directories)]
