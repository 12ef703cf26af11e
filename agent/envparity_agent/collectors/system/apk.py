"""Reads the package database of Alpine Linux: https://wiki.alpinelinux.org/wiki/Apk_spec#Installed_Database_V2."""

from collections.abc import Hashable, Iterator

from envparity_agent.collectors.memory import stamp
from envparity_agent.collectors.system.database import Database, Files, Package, Wanted
from envparity_agent.fingerprint import Reason
from envparity_agent.root import MIB, Root

_PLACES = ("lib/apk/db/installed", "usr/lib/apk/db/installed")
_CAP = 64 * MIB


def stamps(root: Root) -> Hashable:
    """What changes when the database does."""
    return tuple(stamp(root, place) for place in _PLACES)


def read(root: Root) -> Database | None:
    """The installed packages; a record without a name or a version makes the whole incomplete."""
    content = _content(root)
    if content is None:
        return None
    records = [_fields(record) for record in _records(content)]
    packages = [_package(fields) for fields in records]
    # apk ends each record with an empty line, so a file that was cut inside of one is seen
    whole = (content.endswith(b"\n\n") or not content) and all(one.name and one.version for one in packages)
    reasons = frozenset() if whole else frozenset({Reason.INVALID})
    return Database(tuple(one for one in packages if one.name), reasons)


def files(root: Root, wanted: Wanted) -> Files:
    """The wanted files of each package."""
    for record in _records(_content(root) or b""):
        found = wanted(list(_paths(record)))
        if found:
            yield _package(_fields(record)).label, found


def _content(root: Root) -> bytes | None:
    for place in _PLACES:
        content = root.read_if_there(place, _CAP)
        if content is not None:
            return content
    return None


def _records(content: bytes) -> Iterator[bytes]:
    start = 0
    while start < len(content):  # one after the other: the file holds the names of all files of the system
        end = content.find(b"\n\n", start)
        end = end if end >= 0 else len(content)
        record = content[start:end].strip(b"\n")
        if record:
            yield record
        start = end + 2


def _fields(record: bytes) -> dict[str, str]:
    """The fields before the list of files, each a letter, a colon and a value; of several the first."""
    fields: dict[str, str] = {}
    for line in record.partition(b"\nF:")[0].decode("utf-8", "replace").split("\n"):
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
