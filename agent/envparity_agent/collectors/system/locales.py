"""The locales that the C library has here: directories, and glibc's archive of many in one file."""

import os
import struct

from envparity_agent.collectors.system.files import Files
from envparity_agent.errors import Unreadable
from envparity_agent.fingerprint import Reason
from envparity_agent.root import MIB

_FOLDER = "usr/lib/locale"
_ARCHIVE = "usr/lib/locale/locale-archive"
# https://sourceware.org/git/?p=glibc.git;a=blob;f=locale/locarchive.h: numbers of 32 bits in the machine's byte order
_MAGIC = 0xDE020109
_HEADER = struct.Struct("8I")  # magic, serial, then place, used and size of the table, and place and used of the names
_ENTRY = struct.Struct("3I")  # hash, place of the name, place of the locale: 0 in a free entry
_MAX_ENTRIES = 100_000
_MAX_NAME = 255


def generated(files: Files) -> tuple[str, ...]:
    """The names of all locales but C and POSIX, which are built in."""
    names = {name for name in files.names(_FOLDER) if files.is_directory(f"{_FOLDER}/{name}")}
    return tuple(sorted(names | _archived(files)))


def _archived(files: Files) -> set[str]:
    """The names in the archive; only its tables are read, as the whole may have hundreds of megabytes."""
    try:
        with files.root.regular(_ARCHIVE) as descriptor:
            return _names(descriptor)
    except Unreadable as problem:
        if problem.reason != Reason.VANISHED:
            files.reasons.add(problem.reason)
    except (ValueError, struct.error):
        files.reasons.add(Reason.INVALID)
    return set()


def _names(descriptor: int) -> set[str]:
    magic, _, table, _, size, place, used, _ = _HEADER.unpack(os.pread(descriptor, _HEADER.size, 0))
    if magic != _MAGIC or size > _MAX_ENTRIES or used > MIB:
        raise ValueError("no archive of locales")
    entries = os.pread(descriptor, size * _ENTRY.size, table)
    texts = os.pread(descriptor, used, place)
    if len(entries) < size * _ENTRY.size or len(texts) < used:
        raise ValueError("cut off")
    names = set()
    for _, name, locale in _ENTRY.iter_unpack(entries):
        if locale:
            if not place <= name < place + used:
                raise ValueError("a name outside the names")
            text = texts[name - place : name - place + _MAX_NAME].partition(b"\0")[0]
            names.add(text.decode("utf-8", "replace"))
    return names
