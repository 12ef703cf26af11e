"""The witness of what Python needs of the system: data and libraries that its standard library works by.

Which module works by what is documented with each module: https://docs.python.org/3/library/
"""

import re
from collections.abc import Iterator

from envparity_server.compare.model import State
from envparity_server.explain.application import tops
from envparity_server.explain.likeness import core
from envparity_server.explain.model import Evidence, Situation, Suspect
from envparity_server.explain.providers import Providers, is_stdlib
from envparity_server.explain.telling import differing

_CRYPTO = ("libssl", "libcrypto", "openssl")
# a module of the standard library -> how packages and libraries of the system begin that it works by
_WORKS_BY = {
    "bz2": ("libbz2", "bzip2"),
    "ctypes": ("libffi",),
    "curses": ("libncurses", "libtinfo", "ncurses"),
    "dbm": ("libgdbm", "libdb5"),
    "decimal": ("libmpdec",),
    "hashlib": _CRYPTO,
    "hmac": _CRYPTO,
    "locale": ("locales", "libc-l10n", "glibc-langpack", "glibc-locale"),
    "lzma": ("liblzma", "xz"),
    "mimetypes": ("media-types", "mime-support", "mailcap"),
    "readline": ("libreadline",),
    "sqlite3": ("libsqlite3", "sqlite"),
    "ssl": (*_CRYPTO, "ca-certificates"),
    "tkinter": ("libtk", "libtcl", "tk8", "tcl8"),
    "xml": ("libexpat", "expat"),
    "zlib": ("zlib", "libz"),
    "zoneinfo": ("tzdata",),
}
_RUN, _IMPORTED, _NAMESAKE = 5.0, 3.0, 7.0  # points
_STDLIB_FILE = re.compile(r"[/\\](?:python3(?:\.\d+)?t?|Lib)[/\\](\w+)")


def system_uses(situation: Situation) -> Iterator[Evidence]:
    """Evidence against packages and libraries of the system, by what ran and by what the application imports."""
    suspects = list(differing(situation, "os-packages", "libraries"))
    if not suspects:
        return
    ran, imported = _ran(situation), tops(situation)
    for suspect in suspects:
        name = suspect.item.partition(":")[0].lower()
        for module in sorted(ran | imported):
            if name.startswith(_WORKS_BY.get(module, ())):
                how = "the error went through" if module in ran else "the application imports"
                told = f"{how} {module} of the standard library, which works by {name}"
                yield Evidence(suspect, _RUN if module in ran else _IMPORTED, f"{told}: {_change(situation, suspect)}")
                break
    yield from _namesakes(situation, suspects)


def _ran(situation: Situation) -> frozenset[str]:
    """The modules of the standard library that the last error went through."""
    raised = situation.failure.raised[-2:] if situation.failure else ()
    files = [frame.file for one in raised for frame in one.frames if is_stdlib(frame.file)]
    return frozenset(match[1] for file in files if (match := _STDLIB_FILE.search(file)))


def _namesakes(situation: Situation, suspects: list[Suspect]) -> Iterator[Evidence]:
    """A binding is named like what it binds: pyusb and libusb-1.0-0, python-magic and libmagic1."""
    providers = Providers(situation)
    raised = situation.failure.raised[-2:] if situation.failure else ()
    through = {name for one in raised for frame in one.frames for name in providers.of_file(frame.file)}
    for suspect in suspects:
        name = re.sub(r"\.so.*|[-.\d:]+.*$", "", suspect.item.lower())
        for distribution in sorted(through):
            plain = core(distribution.replace("-", ""))
            if name.startswith("lib") and len(plain) > 2 and core(name) == plain:
                told = f"the error went through {distribution}, named like {suspect.item}"
                yield Evidence(suspect, _NAMESAKE, f"{told}: {_change(situation, suspect)}")


def _change(situation: Situation, suspect: Suspect) -> str:
    states = {one.state for one in situation.suspects[suspect]}
    if State.ONLY_LEFT in states:
        return "the bad side does not have it"
    return "only the bad side has it" if State.ONLY_RIGHT in states else "it is not the same"
