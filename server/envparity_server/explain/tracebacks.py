"""The witness of a traceback: whose code it runs through, what its lines use, and what its error names."""

import re
from collections.abc import Iterable, Iterator

from envparity_agent.kinds import CODE_ITEM
from envparity_server.compare.model import Distance
from envparity_server.explain.clues import PARTLY, Clue, against, strongest
from envparity_server.explain.failures import Frame, Raised
from envparity_server.explain.likeness import SURE, kin, normal
from envparity_server.explain.missing import of_symbols, users
from envparity_server.explain.model import Evidence, Situation
from envparity_server.explain.places import nearness, places_of
from envparity_server.explain.providers import Providers, is_installed, is_stdlib
from envparity_server.explain.requirements import breaking_step
from envparity_server.explain.stdlib import of_language
from envparity_server.explain.telling import differing, telling, told_by_files

RAISING, PASSED, LINE, IMPORT_LINE = 5.5, 2.5, 3.0, 4.0
_STEPS = {Distance.PATCH: 0.4, Distance.MINOR: 0.7}
_LINES = 60  # of a text without a traceback, from its end, that are taken as its error
_CHAINED, _EARLIER = 0.9, 0.5  # what an error counts that is the root of the last one, and one that did not end the run
_URL = re.compile(r"\w{2,20}://\S+")
_PATH = re.compile(r"(?:[A-Za-z]:\\|/)[^\s'\"(),:]+")
_WORD = re.compile(r"(?<![\w./\\-])[A-Za-z][\w.-]*")
_VERSION_FOLLOWS = re.compile(r"(?:['\"`]?\s?(?:[=<>!~]=|[<>])|['\"`]?\s+(?:version\s+)?v?\d+(?:\.[\dx])?)")
_NUMBERS = re.compile(r"(?<![\w.])v?(\d+(?:\.\d+){1,4}(?:[.-]?(?:a|b|rc|post|dev)\d+)?)(?![\w])")
_FILE = re.compile(r"\.(?:py|so|toml|ya?ml|json|ini|cfg|txt|log|html?)$")


def of_traceback(situation: Situation) -> Iterable[Evidence]:
    """Evidence from each exception that was printed; the one that ended the run says the most."""
    if situation.failure is None:
        return ()
    providers = Providers(situation)
    if not situation.failure.raised:
        said = Raised("", "\n".join([*telling(situation)][-_LINES:]))
        return strongest([*_of_raised(said, providers)])
    return strongest(
        clue._replace(points=clue.points * weight)
        for raised, weight in _weighted(situation.failure.raised)
        for clue in _of_raised(raised, providers)
    )


def _weighted(raised: tuple[Raised, ...]) -> Iterator[tuple[Raised, float]]:
    """Each exception with what it counts; the last one and its chain first."""
    in_chain = True
    for number, one in enumerate(reversed(raised)):
        in_chain = in_chain and (number == 0 or one.leads)
        yield one, 1.0 if number == 0 else _CHAINED if in_chain else _EARLIER


def _of_raised(raised: Raised, providers: Providers) -> Iterator[Clue]:
    lost = list(of_symbols(raised, providers))
    yield from lost
    yield from of_language(raised.type, raised.message, providers)
    yield from _of_files(raised, providers)
    yield from _of_frames(raised, providers)
    yield from _of_lines(raised, providers)
    if not any(clue.points >= PARTLY for clue in lost):  # else the names in the message are what it says is missing
        yield from _of_message(raised, providers)


def _of_frames(raised: Raised, providers: Providers) -> Iterator[Clue]:
    """Whose code the error is raised in, and through whose code the call went."""
    raising = True
    for frame in reversed(raised.frames):
        if is_stdlib(frame.file):
            continue
        for name, much in providers.of_file(frame.file).items():
            said = "the error is raised in" if raising else "the call goes through"
            told = f"{said} {name} ({short(frame.file)}:{frame.line})"
            points = (RAISING if raising else PASSED) * much * _moved(name, providers)
            yield from against(providers, name, points, told, "frame")
        raising = False
    for user in users(raised, providers):
        yield from _around(user, providers)


def _moved(name: str, providers: Providers) -> float:
    """What it counts that code is at hand which differs: a library raises what others do wrong, too.

    A small step of its version changes little in it.
    """
    good, bad = providers.versions(name)
    return _STEPS.get(breaking_step(good, bad), 1.0) if good and bad and good != bad else 1.0


def _of_files(raised: Raised, providers: Providers) -> Iterator[Clue]:
    """The files that the call goes through, where they themselves differ: an application's, or patched in place."""
    places = places_of(providers.situation)
    patched = set(differing(providers.situation, "python-files"))
    by_files = told_by_files(providers.situation)
    changed = differing(providers.situation, "application")
    code = [one for one in changed if one.item == CODE_ITEM and one.section not in by_files]
    raising = True
    for frame in reversed(raised.frames):
        if is_stdlib(frame.file):
            continue
        where = f"{short(frame.file)}:{frame.line}"
        said = f"the error is raised in {where}" if raising else f"the call goes through {where}"
        for place in places:
            if nearness(frame.file, place.path) >= 12.0 and not place.suspect.item.startswith("mount:"):
                yield Clue("file", place.suspect, 10.0 if raising else 5.0, f"{said}, and that file differs")
        for suspect in patched:
            if suspect.item in providers.of_file(frame.file):
                told = f"{said}, and files of {suspect.item} were changed"
                yield Clue("file", suspect, 5.0 if raising else 2.0, told)
        if not is_installed(frame.file) and not providers.of_file(frame.file):
            for suspect in code:
                yield Clue("file", suspect, 4.0 if raising else 2.0, f"{said}, which is the application's own code")
        raising = False


def _around(user: str, providers: Providers) -> Iterator[Clue]:
    """What the distribution that the error is raised in requires, or extends by its name, is near at hand."""
    required = sorted(providers.requires(user) & providers.suspects.keys())
    unchanged = user not in providers.suspects
    for name in required:
        points = ((4.0 if len(required) == 1 else 3.0) if unchanged else 2.0) * _moved(name, providers)
        same = "does not differ itself and " if unchanged else ""
        told = f"{user}, in which the error is raised, {same}requires {name}, {providers.change(name)}"
        yield from against(providers, name, points, told, "family")
    for name in sorted(providers.suspects):
        if name != user and kin(name, user):
            told = f"{user}, in which the error is raised, is by its name of one family with {name}"
            yield from against(providers, name, 2.0 * _moved(name, providers), told, "family")


def _of_lines(raised: Raised, providers: Providers) -> Iterator[Clue]:
    """What the raising line uses, and the last line of the application itself."""
    frames = [frame for frame in raised.frames if frame.source and not is_stdlib(frame.file)]
    own = [frame for frame in frames if not is_installed(frame.file)]
    for frame in dict.fromkeys([*frames[-1:], *own[-1:]]):
        aliases = _aliases(frame, providers)
        for used, imports in _used(frame.source):
            module = aliases.get(used, used)
            how = "imports" if imports else "uses"
            told = f"{short(frame.file)}:{frame.line} {how} {module}: {frame.source[:120]}"
            for name, much in providers.of_module(module).items():
                if much >= SURE:
                    yield from against(providers, name, (IMPORT_LINE if imports else LINE) * much, told, "line")


def _used(source: str) -> Iterator[tuple[str, bool]]:
    """The names that a source line uses something of, each with whether the line imports it: np in `np.zeros(3)`."""
    if match := re.match(r"(?:from|import) +([A-Za-z_][\w.]*)", source):
        yield match[1], True
        return
    for match in re.finditer(r"(?<![\w.])_*([A-Za-z]\w*)(?=[.(])", source):
        yield match[1], False


def _aliases(frame: Frame, providers: Providers) -> dict[str, str]:
    """What the names of the frame's module stand for, where the application's source was told: np for numpy."""
    application = providers.situation.application
    found: dict[str, str] = {}
    file = f"/{_stem(frame.file)}"
    for item, attributes in application.items.items() if application else ():
        names = attributes.get("names")
        if isinstance(names, tuple) and file.endswith(f"/{_stem(item if '/' in item else item.replace('.', '/'))}"):
            pairs = (one.partition(" < ") for one in names)
            found |= {name: origin for name, separator, origin in pairs if separator}
    return found


def _stem(path: str) -> str:
    return path.replace("\\", "/").removesuffix(".py").removesuffix("/py").removesuffix("/__init__")


def _of_message(raised: Raised, providers: Providers) -> Iterator[Clue]:
    """Distributions and modules that the error names, and versions that only they have."""
    message = _URL.sub(" ", raised.message)
    for path in _PATH.findall(message):
        for name, much in providers.of_file(path).items() if is_installed(path) else ():
            yield from against(
                providers, name, 3.0 * much, f"the error names {short(path)}, a file of {name}", "message"
            )
    message = _PATH.sub(" ", message)
    for match in _WORD.finditer(message):
        word = match[0].rstrip(".-")
        for name, points in _named(word, match, providers):
            yield from against(providers, name, points, f"the error names {word}: {_line_of(match)}", "message")
    numbers = set(_NUMBERS.findall(message))
    for name in sorted(providers.suspects):
        good, bad = providers.versions(name)
        if bad in numbers and bad != good:
            told = f"the error tells the version {bad}, which {name} has, {providers.change(name)}"
            yield from against(providers, name, 3.0, told, "version")


def _named(word: str, match: re.Match[str], providers: Providers) -> Iterator[tuple[str, float]]:
    """The distributions that a word of a message means, each with its points."""
    if len(word) < 3 or _FILE.search(word):
        return
    message, end = match.string, match.start() + len(word)
    quoted = match.start() > 0 and message[match.start() - 1] in "'\"`"
    points = 8.0 if "." in word else 6.0 if quoted or _VERSION_FOLLOWS.match(message, end, end + 40) else 3.0
    for name, much in providers.of_module(word if "." in word else normal(word)).items():
        if much >= SURE:
            yield name, points * much


def _line_of(match: re.Match[str]) -> str:
    """The line of the message that a word stands in, or what is around the word where that is long."""
    message = match.string
    start = message.rfind("\n", 0, match.start()) + 1
    line = message[start:].partition("\n")[0].strip()
    around = message[max(start, match.start() - 50) : match.end() + 50].partition("\n")[0].strip()
    return line if len(line) <= 120 else f"…{around}…"


def short(path: str) -> str:
    """A path as a person wants it: below the directory that distributions are installed in."""
    for place in ("site-packages", "dist-packages"):
        _, separator, tail = path.rpartition(place)
        if separator:
            return tail.lstrip("/\\").replace("\\", "/")
    return path
