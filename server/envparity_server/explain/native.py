"""The witness of what a linker, a shell or a kernel says: libraries, programs, architectures and limits."""

import posixpath
import re
from collections.abc import Iterable, Iterator

from envparity_server.explain.clues import PROVED, Clue, against, strongest
from envparity_server.explain.likeness import SURE
from envparity_server.explain.model import Evidence, Situation, Suspect
from envparity_server.explain.providers import Providers, is_installed
from envparity_server.explain.telling import differing, quoted, telling

_LIBRARY = re.compile(
    r"(?:Error loading shared library |Library not loaded: |cannot load library ['\"]?)([^\s:'\",()]{1,500})"
    r"|([^\s:'\",()]{1,500}): (?:cannot open shared object file|version [`'][\w.]{1,100}' not found)"
)
_NEEDED_BY = re.compile(r"(?:needed|required) by ([^\s()]{1,500})")
_UNDEFINED = re.compile(r"(?:([^\s:]{1,500}): )?(?:undefined symbol|[Ss]ymbol not found(?: in \w+)?): '?_?(\w{1,300})")
_PROGRAM = re.compile(
    r"([\w.+-]{1,100}): (?:command )?not found|exec: \"([^\"]{1,200})\": executable file not found"
    r"|[Nn]o such file or directory: ['\"]([\w.+-]{1,100})['\"]|env: ['\"]?([\w.+-]{1,100})['\"]?: No such file"
)
_PLATFORM = re.compile(
    r"[Ee]xec format error|wrong ELF class|invalid ELF header|incompatible architecture|Bad CPU type"
    r"|no matching manifest for|image's platform .{1,100} does not match"
)
_OBJECT = re.compile(r"(/[^\s:'\",()]{1,500}\.so[\w.]{0,60})")
_NAMED = re.compile(
    r"(?:find|found|load|locate|missing|installed?)\b[^\n]{0,60}?(?<![\w./-])(lib[a-z][\w+-]{1,40})(?![\w./])"
    r"|(?<![\w./-])(lib[a-z][\w+-]{1,40})(?![\w./])[^\n]{0,60}?(?:not found|missing|not installed|could not|cannot)",
    re.IGNORECASE,
)
_SONAME = re.compile(r"(lib[\w+.-]{1,100}?|[\w+.-]{1,100}?)\.(?:so(?:\.([\d.]{1,40}))?|([\d.]{0,40})\.?dylib)$")
_LIBC = re.compile(r"(?:libc|libm|libpthread|libdl|librt|ld-linux[\w-]*|libc\.musl[\w-]*)$")
_PYTHON_API = re.compile(r"_?Py[A-Z_]\w+")
# what a kernel or a runtime says -> what the items are called that bound it
_LIMITS = (
    (re.compile(r"Too many open files"), ("nofile",)),
    (re.compile(r"Cannot allocate memory|MemoryError|OOMKilled|[Oo]ut of memory"), ("memory", "total", "given", "as")),
    (re.compile(r"can't start new thread|Resource temporarily unavailable"), ("pids", "nproc", "tasks")),
    (re.compile(r"No space left on device|Bus error"), ("shm",)),
    (re.compile(r"Illegal instruction|SIGILL"), ("features", "level", "model")),
)  # fmt: skip
_IMAGE = re.compile(r"manifest unknown|manifest for [^\s]{1,300} not found|pull access denied")


def of_native(situation: Situation) -> Iterable[Evidence]:
    """Evidence from what was printed by others than Python, as a part of a traceback or without any."""
    return strongest(_clues(situation)) if situation.failure else ()


def _clues(situation: Situation) -> Iterator[Clue]:
    providers = Providers(situation)
    for line in telling(situation):
        for match in _LIBRARY.finditer(line):
            user = _NEEDED_BY.search(line)
            yield from _library(posixpath.basename(match[1] or match[2]), user[1] if user else "", line, providers)
        for match in _NAMED.finditer(line):  # in the words of who loads it, without a version
            yield from _library(f"{match[1] or match[2]}.so", "", line, providers)
        if undefined := _UNDEFINED.search(line):
            yield from _undefined(undefined[1] or "", undefined[2], line, providers)
        for program in sorted({posixpath.basename(one) for found in _PROGRAM.findall(line) for one in found if one}):
            yield from _program(program, line, providers)
        if _PLATFORM.search(line):
            yield from _platform(line, providers)
        if _IMAGE.search(line):
            yield from _image(line, providers)
        for pattern, words in _LIMITS:
            if pattern.search(line):
                yield from _limit(words, line, situation)


def _library(file: str, user: str, line: str, providers: Providers) -> Iterator[Clue]:
    """A shared object that the linker does not find, or that is too old for who needs it."""
    match = _SONAME.match(file)
    if match is None:
        return
    stem, version = match[1], match[2] or match[3] or ""
    for suspect in differing(providers.situation, "libraries"):
        if suspect.item == file:
            yield Clue("library", suspect, PROVED, f"{file} differs: {quoted(line)}")
        elif (other := _SONAME.match(suspect.item)) and other[1] == stem:
            yield Clue("library", suspect, 9.0, f"{suspect.item} is another version of {file}: {quoted(line)}")
    for suspect in differing(providers.situation, "os-packages"):
        if points := _of_package(suspect.item.partition(":")[0], stem, version):
            yield Clue("library", suspect, points, f"{file} is by its name of {suspect.item}: {quoted(line)}")
    if _LIBC.match(stem):
        for suspect in differing(providers.situation, "os"):
            points = 12.0 if suspect.item == "libc" else 6.0 if suspect.item == "distribution" else 0.0
            if points:
                yield Clue("library", suspect, points, f"{file} is of the C library: {quoted(line)}")
    if stem.startswith("libpython"):
        for suspect in providers.interpreters:
            yield Clue("library", suspect, 10.0, f"{file} is of Python itself: {quoted(line)}")
    for name, much in providers.of_file(user).items() if is_installed(user) else ():
        yield from against(providers, name, 6.0 * much, f"{name} needs {file}: {quoted(line)}", "library")
    for name, much in providers.of_module(re.split(r"[_-]", stem.removeprefix("lib"))[0]).items():
        if much >= SURE:
            yield from against(providers, name, 4.0, f"{file} is named like {name}: {quoted(line)}", "library")
    yield from _images(f"{file} is missing, and the image is another one", providers)


def _of_package(package: str, stem: str, version: str) -> float:
    """How likely an OS package has a library: Debian's names are made of the soname, others have a part of it.

    https://www.debian.org/doc/debian-policy/ch-sharedlibs.html
    """
    plain = re.sub(r"[-_]|t64$", "", package.lower())
    flat = re.sub(r"[-_]", "", stem.lower())
    if plain in (flat + version, flat + version.partition(".")[0]):
        return 12.0
    if re.fullmatch(re.escape(flat) + r"[\d.]*\w?", plain):
        return 9.0
    bare = flat.removeprefix("lib")
    return 6.0 if len(bare) > 2 and bare in re.split(r"[-_.\d]+", package.lower().removeprefix("lib")) else 0.0


def _undefined(file: str, symbol: str, line: str, providers: Providers) -> Iterator[Clue]:
    """A symbol that a module was built against and that nothing defines: of Python, of a library, or of its own."""
    for name, much in providers.of_file(file).items() if is_installed(file) else ():
        yield from against(providers, name, 6.0 * much, f"{name} lacks a symbol: {quoted(line)}", "symbol of a library")
        for other in sorted(providers.requires(name)):
            told = f"{name}, which lacks a symbol, is built against {other}: {quoted(line)}"
            yield from against(providers, other, 5.0, told, "symbol of a library")
    if _PYTHON_API.match(symbol):
        for suspect in providers.interpreters:
            yield Clue("symbol of a library", suspect, 10.0, f"{symbol} is of Python itself: {quoted(line)}")
    word = re.split(r"(?<=[a-z0-9])(?=[A-Z])|_", symbol)[0].lower()
    for suspect in differing(providers.situation, "libraries", "os-packages"):
        match = _SONAME.match(suspect.item)
        stem = re.sub(r"[\d.:-].*", "", (match[1] if match else suspect.item)).removeprefix("lib")
        if len(word) > 2 and word.rstrip("0123456789") == stem:
            yield Clue("symbol of a library", suspect, 9.0, f"{symbol} is named like {suspect.item}: {quoted(line)}")


def _program(name: str, line: str, providers: Providers) -> Iterator[Clue]:
    """A program that is not there: an OS package, or a distribution, that is called so; or another PATH."""
    if name.endswith((".so", ".py")) or len(name) < 2:
        return
    for suspect in differing(providers.situation, "os-packages"):
        package = suspect.item.partition(":")[0]
        if package == name:
            yield Clue("program", suspect, 13.0, f"{name} is of the package {package}: {quoted(line)}")
        elif name in re.split(r"[-_.]", package) or (len(package) > 2 and name.startswith(package)):
            yield Clue("program", suspect, 8.0, f"{name} is by its name of {package}: {quoted(line)}")
    for distribution, much in providers.of_module(name.replace("-", "_")).items():
        if much >= SURE:
            told = f"{name} is named like {distribution}: {quoted(line)}"
            yield from against(providers, distribution, 8.0, told, "program")
    for suspect in differing(providers.situation, "configuration"):
        if suspect.item == "env:PATH":
            yield Clue("program", suspect, 5.0, f"{name} is not found on PATH, which differs: {quoted(line)}")
        elif suspect.item in ("command", "entrypoint"):
            yield Clue("program", suspect, 3.0, f"what is started differs: {quoted(line)}")
    yield from _images(f"{name} is missing, and the image is another one", providers)


def _platform(line: str, providers: Providers) -> Iterator[Clue]:
    """A program or a module that was built for another machine."""
    for suspect, differences in providers.situation.suspects.items():
        attributes = {one.attribute for one in differences}
        if attributes & {"machine", "platform", "architecture"}:
            yield Clue("platform", suspect, 12.0, f"the architecture differs: {quoted(line)}")
    for path in _OBJECT.findall(line):
        for name, much in providers.of_file(path).items() if is_installed(path) else ():
            told = f"{name} is built for another machine: {quoted(line)}"
            yield from against(providers, name, 7.0 * much, told, "platform")
    yield from _images("built for another machine, and the image is another one", providers)


def _image(line: str, providers: Providers) -> Iterator[Clue]:
    """An image that no registry has."""
    for suspect in _image_suspects(providers.situation):
        sides = (side.sections.get(suspect.section) for side in (providers.situation.good, providers.situation.bad))
        told = {str(section.items.get(suspect.item, {}).get("reference") or "") for section in sides if section}
        named = any(one.partition("@")[0].rpartition("/")[2].partition(":")[0] in line for one in told if one)
        yield Clue("image", suspect, 12.0 if named else 6.0, f"the image cannot be had: {quoted(line)}")


def _images(text: str, providers: Providers) -> Iterator[Clue]:
    """An image brings what an application has beside its own, so another image may lack it."""
    for suspect in _image_suspects(providers.situation):
        yield Clue("image", suspect, 3.0, text)


def _image_suspects(situation: Situation) -> Iterator[Suspect]:
    return (one for one in differing(situation, "container") if one.item in ("image", "tag"))


def _limit(words: tuple[str, ...], line: str, situation: Situation) -> Iterator[Clue]:
    for suspect, differences in situation.suspects.items():
        if differences[0].kind not in ("configuration", "settings", "machine"):
            continue
        told = {*re.split(r"[:._-]", suspect.item.lower()), *(one.attribute for one in differences)}
        if told & set(words):
            yield Clue("limit", suspect, 11.0, f"{suspect.item} differs, and it bounds what ran out: {quoted(line)}")
