"""Builds the databases of package managers by their formats' rules."""

import sqlite3
import struct
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path

from envparity_agent.collectors.system.rpm_header import Tag
from tests.agent.trees import put

Tagged = str | int | bytes | list[str] | list[int]

INT32, STRING, BINARY, STRING_ARRAY = 4, 6, 7, 8


def paragraph(name: str, state: str = "install ok installed", architecture: str = "amd64", version: str = "1") -> str:
    """What dpkg's status file says of a package."""
    return f"Package: {name}\nStatus: {state}\nArchitecture: {architecture}\nVersion: {version}\n\n"


def apk_record(
    name: str, version: str = "1.0-r0", checksum: str = "Q1abc=", files: Mapping[str, Iterable[str]] | None = None
) -> str:
    """What apk's database says of a package: its fields, then its directories with their files."""
    listed = "".join(
        f"F:{directory}\n" + "".join(f"R:{file}\na:0:0:755\nZ:Q1xyz=\n" for file in names)
        for directory, names in (files or {}).items()
    )
    return f"C:{checksum}\nP:{name}\nV:{version}\nA:x86_64\nS:1\nT:words\no:{name}-source\n{listed}\n"


def rpm_header(tags: Mapping[int, Tagged]) -> bytes:
    """The header of an RPM package as its database keeps it."""
    entries, data = b"", b""
    for tag, value in tags.items():
        kind, count, content = _encoded(value)
        data += bytes(-len(data) % 4) if kind == INT32 else b""
        entries += struct.pack(">IIiI", tag, kind, len(data), count)
        data += content
    return struct.pack(">II", len(tags), len(data)) + entries + data


def _encoded(value: Tagged) -> tuple[int, int, bytes]:
    if isinstance(value, int):
        value = [value]
    if isinstance(value, str):
        return STRING, 1, value.encode() + b"\0"
    if isinstance(value, bytes):
        return BINARY, len(value), value
    numbers = [one for one in value if isinstance(one, int)]
    if numbers:
        return INT32, len(numbers), struct.pack(f">{len(numbers)}I", *numbers)
    return STRING_ARRAY, len(value), b"".join(str(one).encode() + b"\0" for one in value)


def rpm_package(name: str, version: str = "1.0", release: str = "1.el9", **more: Tagged) -> bytes:
    """The header of a package; `more` are tags by their names."""
    tags: dict[str, Tagged] = {"NAME": name, "VERSION": version, "RELEASE": release, "ARCH": "x86_64"}
    return rpm_header({Tag[tag]: value for tag, value in {**tags, "SHA256HEADER": "0" * 64, **more}.items()})


def rpm_database(root: Path, *headers: bytes, place: str = "var/lib/rpm") -> Path:
    """RPM's database in its SQLite format."""
    path = put(root, f"{place}/rpmdb.sqlite")
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("CREATE TABLE Packages (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL)")
        database.executemany("INSERT INTO Packages (blob) VALUES (?)", [(header,) for header in headers])
    return path
