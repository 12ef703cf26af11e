"""Reads dpkg's database, and the part of one that distroless images have.

The formats: https://www.debian.org/doc/debian-policy/ch-controlfields.html,
https://manpages.debian.org/stable/dpkg-dev/deb-md5sums.5.en.html
"""

from collections.abc import Hashable, Mapping
from hashlib import sha256
from typing import TypeAlias, TypeVar

from envparity_agent.collectors.memory import stamp
from envparity_agent.collectors.system.database import Database, Files, Package, Wanted, records
from envparity_agent.errors import Unreadable
from envparity_agent.fingerprint import MAX_ITEMS, Reason
from envparity_agent.root import MIB, Root

_STATUS = "var/lib/dpkg/status"
_UPDATES = "var/lib/dpkg/updates"  # what dpkg has not merged into `status` yet, a paragraph in each file
_INFO = "var/lib/dpkg/info"
_PARTS = "var/lib/dpkg/status.d"  # of distroless images: NAME, a paragraph, and NAME.md5sums

_WANTED = frozenset({"Package", "Status", "Version", "Architecture", "Source"})
_GONE = ("not-installed", "config-files")
_CAP = 64 * MIB
_PARAGRAPH_CAP = MIB
_LINE = b"\n"
_LIST_CAP = 16 * MIB
_LISTS_CAP = 512 * MIB  # of all lists together

_Fields: TypeAlias = dict[str, str]
_Kind = TypeVar("_Kind")


def stamps(root: Root) -> Hashable:
    """What changes when the database does: dpkg replaces files in its directories, it does not write into them."""
    return tuple(stamp(root, path) for path in (_STATUS, _UPDATES, _INFO, _PARTS))


def read(root: Root) -> Database | None:
    """The packages whose files are there; None where there is neither a status file nor a directory of parts."""
    reasons: set[str] = set()
    status = _status(root, reasons)
    parts = _parts(root, reasons)
    if status is None and not parts:
        return None if not reasons else Database((), frozenset(reasons))
    lists = _Lists(root)
    packages = [_package(fields, lists.hashes(_INFO, _places(fields))) for fields in status or ()]
    packages += [_package(fields, lists.hashes(_PARTS, (name,))) for name, fields in parts.items()]
    reasons |= lists.reasons
    if not all(one.version and one.architecture for one in packages):
        reasons.add(Reason.INVALID)
    return Database(tuple(packages), frozenset(reasons))


def files(root: Root, wanted: Wanted) -> Files:
    """The wanted files of each package; raises Unreadable where a list of files could not be read."""
    reasons: set[str] = set()
    lists = _Lists(root)
    for fields in _status(root, reasons) or ():
        listed = lists.read(_INFO, _places(fields), "list")  # each line is an absolute path
        found = wanted(listed[1:].replace(b"\n/", b"\n").split(b"\n"))
        if found:
            yield _package(fields).label, found
    for name, fields in _parts(root, reasons).items():
        listed = lists.read(_PARTS, (name,), "md5sums")  # each line is a hash, two spaces and a path
        found = wanted([line.partition(b"  ")[2] for line in listed.split(b"\n")])
        if found:
            yield _package(fields).label, found
    if reasons | lists.reasons:
        raise Unreadable(_INFO, min(reasons | lists.reasons))


class _Lists:
    """The lists that dpkg keeps of each package's files, up to a size that all of them may have together."""

    def __init__(self, root: Root) -> None:
        self.reasons: set[str] = set()
        self._root = root
        self._left = _LISTS_CAP
        self._names: dict[str, frozenset[str]] = {}

    def hashes(self, folder: str, places: tuple[str, ...]) -> str:
        """A hash over the hashes of a package's files; empty where the package has no list of them."""
        lines = self.read(folder, places, "md5sums").split(b"\n")
        found = sorted(line for line in lines if line)
        return f"sha256:{sha256(_LINE.join(found)).hexdigest()}" if found else ""

    def read(self, folder: str, places: tuple[str, ...], ending: str) -> bytes:
        """The first list that is there; empty where none is, or it cannot be read."""
        names = self._present(folder)
        name = next((name for name in (f"{place}.{ending}" for place in places) if name in names), None)
        if name is None:
            return b""
        try:
            content = self._root.read_if_there(f"{folder}/{name}", min(_LIST_CAP, self._left)) or b""
        except Unreadable as problem:
            self.reasons.add(problem.reason)
            return b""
        self._left -= len(content)
        return content

    def _present(self, folder: str) -> frozenset[str]:
        if folder not in self._names:
            try:
                self._names[folder] = frozenset(self._root.names(folder))
            except Unreadable as problem:
                self.reasons.add(problem.reason)
                self._names[folder] = frozenset()
        return self._names[folder]


def _places(fields: Mapping[str, str]) -> tuple[str, ...]:
    """Under which names dpkg may keep the lists of a package: with its architecture where it is Multi-Arch: same."""
    return f"{fields['Package']}:{fields.get('Architecture', '')}", fields["Package"]


def _package(fields: Mapping[str, str], content: str = "") -> Package:
    state = fields.get("Status", "installed").split(" ")[-1]
    return Package(
        "deb",
        fields["Package"],
        fields.get("Version", ""),
        fields.get("Architecture", ""),
        source=fields.get("Source", ""),
        state="" if state == "installed" else state,
        content=content,
    )


def _status(root: Root, reasons: set[str]) -> list[_Fields] | None:
    """The packages whose files are there, as the status file and the updates to it say; None without such a file."""
    content = root.read_if_there(_STATUS, _CAP)
    if content is None:
        return None
    paragraphs = [*_paragraphs(content, reasons), *_updates(root, reasons)]
    # what dpkg writes is not cut off, and has a package and its status in each paragraph
    whole = content.endswith(b"\n") or not content
    if not whole or not all({"Package", "Status"} <= one.keys() for one in paragraphs):
        reasons.add(Reason.INVALID)
    latest = {(one.get("Package"), one.get("Architecture")): one for one in paragraphs}
    return _within_cap([one for one in latest.values() if _is_on_disk(one)], reasons)


def _updates(root: Root, reasons: set[str]) -> list[_Fields]:
    """What dpkg reads after the status file: the paragraphs that it has not merged into it, in their order."""
    found: list[_Fields] = []
    try:
        for name in root.names(_UPDATES):
            if name.isdigit():  # others are being written
                found += _paragraphs(root.read_if_there(f"{_UPDATES}/{name}", MIB) or b"", reasons)
    except Unreadable as problem:
        reasons.add(problem.reason)
    return found


def _is_on_disk(fields: Mapping[str, str]) -> bool:
    state = fields.get("Status", "").split(" ")[-1]
    return bool(fields.get("Package")) and bool(state) and state not in _GONE


def _parts(root: Root, reasons: set[str]) -> dict[str, _Fields]:
    """File name -> the package that it tells of; there is no Status, as nothing but what is installed has a file."""
    found: dict[str, _Fields] = {}
    for name in _within_cap([name for name in root.names(_PARTS) if not name.endswith(".md5sums")], reasons):
        try:
            fields = _fields(root.read_if_there(f"{_PARTS}/{name}", MIB) or b"", reasons)
        except Unreadable as problem:
            reasons.add(problem.reason)
            continue
        if fields.get("Package"):
            found[name] = fields
        else:
            reasons.add(Reason.INVALID)
    return found


def _within_cap(found: list[_Kind], reasons: set[str]) -> list[_Kind]:
    if len(found) > MAX_ITEMS:
        reasons.add(Reason.CAP)
    return found[:MAX_ITEMS]


def _paragraphs(content: bytes, reasons: set[str]) -> list[_Fields]:
    """The wanted fields of each paragraph."""
    found = [_fields(record, reasons) for record in records(content)]
    return [fields for fields in _within_cap(found, reasons) if fields]


def _fields(record: bytes, reasons: set[str]) -> _Fields:
    if len(record) > _PARAGRAPH_CAP:
        reasons.add(Reason.CAP)
    fields: _Fields = {}
    for line in record[:_PARAGRAPH_CAP].decode("utf-8", "replace").split("\n"):
        name, _, value = line.partition(":")  # a line that goes on with the one before begins with a space
        if name in _WANTED:
            fields[name] = value.strip()
    return fields
