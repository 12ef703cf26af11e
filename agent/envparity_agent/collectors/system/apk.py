"""Reads the package database of Alpine Linux: https://wiki.alpinelinux.org/wiki/Apk_spec#Installed_Database_V2."""

from collections.abc import Hashable, Iterator

from envparity_agent.collectors.memory import stamp
from envparity_agent.collectors.system.database import Database, Files, Package, Wanted, records
from envparity_agent.errors import Unreadable
from envparity_agent.fingerprint import MAX_ITEMS, Reason
from envparity_agent.root import MIB, Root

_PLACES = ("lib/apk/db/installed", "usr/lib/apk/db/installed")
_CAP = 64 * MIB
_FIELDS_CAP = MIB
_RECORD_CAP = 8 * MIB


def stamps(root: Root) -> Hashable:
    """What changes when the database does."""
    return tuple(stamp(root, place) for place in _PLACES)


def read(root: Root) -> Database | None:
    """The installed packages; a record without a name or a version makes the whole incomplete."""
    content = _content(root)
    if content is None:
        return None
    reasons: set[str] = set()
    packages = [_package(_fields(record)) for record in records(content)]
    # apk ends each record with an empty line, so a file that was cut inside of one is seen
    if (content and not content.endswith(b"\n\n")) or not all(one.name and one.version for one in packages):
        reasons.add(Reason.INVALID)
    if len(packages) > MAX_ITEMS:
        reasons.add(Reason.CAP)
    return Database(tuple(one for one in packages if one.name), frozenset(reasons))


def files(root: Root, wanted: Wanted) -> Files:
    """The wanted files of each package; raises Unreadable where one has more than any real one."""
    for record in records(_content(root) or b""):
        if len(record) > _RECORD_CAP:
            raise Unreadable(_PLACES[0], Reason.CAP)
        found = wanted(list(_paths(record)))
        if found:
            yield _package(_fields(record)).label, found


def _content(root: Root) -> bytes | None:
    for place in _PLACES:
        content = root.read_if_there(place, _CAP)
        if content is not None:
            return content
    return None


def _fields(record: bytes) -> dict[str, str]:
    """The fields before the list of files, each a letter, a colon and a value; of several the first."""
    fields: dict[str, str] = {}
    for line in record[:_FIELDS_CAP].partition(b"\nF:")[0].decode("utf-8", "replace").split("\n"):
        if line[1:2] == ":":
            fields.setdefault(line[0], line[2:].strip())
    return fields


def _package(fields: dict[str, str]) -> Package:
    return Package(
        "apk",
        fields.get("P", ""),
        fields.get("V", ""),
        fields.get("A", ""),
        source=fields.get("o", ""),
        content=fields.get("C", ""),
    )


def _paths(record: bytes) -> Iterator[bytes]:
    """F: begins a directory, R: is a file in it."""
    directory = b""
    for line in record.split(b"\n"):
        if line.startswith(b"F:"):
            directory = line[2:]
        elif line.startswith(b"R:"):
            yield directory + b"/" + line[2:] if directory else line[2:]
