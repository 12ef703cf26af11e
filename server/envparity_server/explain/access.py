"""The witness of places and services that cannot be used: files, mounts, hosts, ports, and what decides on them."""

import re
from collections.abc import Iterable, Iterator, Sequence

from envparity_server.compare.model import DRIFT_STATES
from envparity_server.explain.clues import Clue, against, strongest
from envparity_server.explain.model import Evidence, Situation, Suspect
from envparity_server.explain.places import Place, nearness, places_of
from envparity_server.explain.providers import Providers, is_installed
from envparity_server.explain.telling import FRAME, quoted, telling

_TROUBLE = re.compile(
    r"no such file|not found|does ?n[o']t exist|permission denied|read-only file system|is a directory"
    r"|not a directory|FileNotFoundError|PermissionError|unable to open|can(?:no|')t (?:open|access|find|read|load)"
    r"|could not (?:open|find|read|load)|not accessible|is missing",
    re.IGNORECASE,
)
_DENIED = re.compile(r"permission denied|read-only file system|PermissionError|not permitted", re.IGNORECASE)
_DECIDES = frozenset({"user", "group", "read-only", "privileged", "cap-add", "cap-drop"})
_PATH = re.compile(r"(?<![\w/.:])/[^\s:'\"`,;()<>|]{2,500}")
_QUOTED = re.compile(r"['\"`](\w[\w./-]{1,300})['\"`]")
_MAX_PATHS, _MAX_OF_LINE = 200, 20
_REACH = re.compile(
    r"Connection refused|Connection timed out|[Nn]ame or service not known|could not translate host name"
    r"|name resolution|getaddrinfo failed|No route to host|Network is unreachable|Could not connect"
)
_MAX_UNREACHED = 50
_PORT = re.compile(r"(?<![\d.])\d{2,5}(?![\d.])")
_REACHING = re.compile(
    r"(?:^|[:_.])(?:HOSTS?|URL|URI|PORT|DSN|ENDPOINT|ADDR(?:ESS)?|SERVER|BROKER)(?:_|$)", re.IGNORECASE
)
_NETWORK = frozenset({"network", "networks", "dns", "dns-search", "extra-hosts"})
_KINDS = frozenset({"configuration", "file"})
# what is printed -> the items that decide on it, the points, and how they do
_TOPICS = (
    (
        re.compile(r"'(?:ascii|charmap|cp\d+|latin-1)' codec can't|unsupported locale setting|surrogates not allowed"),
        re.compile(r"^(?:env:)?(?:LANG|LC_\w+|LANGUAGE|PYTHON(?:IOENCODING|UTF8|COERCECLOCALE))$|^locales?(?::|$)"),
        9.0,
        "and decides how text is read",
    ),
    (
        re.compile(r"CERTIFICATE_VERIFY_FAILED|unable to get local issuer certificate|certificate verify failed"),
        re.compile(r"cert|(?<![a-z])ca[-_]bundle|ssl", re.IGNORECASE),
        7.0,
        "and by its name it has to do with the certificates that are trusted",
    ),
)


def of_access(situation: Situation) -> Iterable[Evidence]:
    """Evidence from the paths and services in what was printed."""
    return strongest(_clues(situation)) if situation.failure else ()


def _clues(situation: Situation) -> Iterator[Clue]:
    yield from _at_places(situation, places_of(situation), Providers(situation))
    lines = list(telling(situation))
    for pattern, item, points, how in _TOPICS:
        line = next(filter(pattern.search, lines), None)
        for suspect in _of_topic(situation, item) if line else ():
            yield Clue(
                "topic", suspect, points, f"{suspect.item or suspect.section} differs, {how}: {quoted(line or '')}"
            )
    for line in list(filter(_REACH.search, lines))[-_MAX_UNREACHED:]:
        yield from _reach(line, situation)


def _of_topic(situation: Situation, item: re.Pattern[str]) -> Iterator[Suspect]:
    for suspect, differences in situation.suspects.items():
        if item.search(suspect.item or suspect.section) and any(one.state in DRIFT_STATES for one in differences):
            yield suspect


def _in_trouble(situation: Situation) -> Iterator[tuple[str, str]]:
    """Each path that is said to be missing or not to be used, with the line that says so; of very many the last."""
    found = {
        path: line
        for line in telling(situation)
        if _TROUBLE.search(line) and not FRAME.match(line)
        for path in [*_PATH.findall(line)[:_MAX_OF_LINE], *_QUOTED.findall(line)[:_MAX_OF_LINE]]
    }
    yield from list(found.items())[-_MAX_PATHS:]


def _at_places(situation: Situation, places: Sequence[Place], providers: Providers) -> Iterator[Clue]:
    """A file that is not there, or that may not be used: what lies or is mounted at that place differs."""
    for path, line in _in_trouble(situation):
        for place, suspect, sure in places:
            if points := nearness(path.rstrip("."), place):
                told = f"{place} differs, and {path} is in trouble: {quoted(line)}"
                yield Clue("place", suspect, points * sure, told)
        for name, much in providers.of_file(path).items() if is_installed(path) else ():
            yield from against(providers, name, 8.0 * much, f"{path} is of {name}: {quoted(line)}", "place")
        yield from _configured(path, line, situation)


def _configured(path: str, line: str, situation: Situation) -> Iterator[Clue]:
    """What decides where a path leads to, and who may use it."""
    denied = bool(_DENIED.search(line))
    for suspect, differences in situation.suspects.items():
        if differences[0].kind not in _KINDS:
            continue
        values = {str(value) for one in differences for value in (one.left, one.right) if value}
        if denied and suspect.item in _DECIDES:
            yield Clue("place", suspect, 7.0, f"{suspect.item} differs, and access is denied: {quoted(line)}")
        elif suspect.item == "workdir" and not path.startswith("/"):
            yield Clue("place", suspect, 6.0, f"{path} is looked for in the working directory, which differs")
        elif any(_is_within(path, value) for value in values):
            yield Clue("place", suspect, 8.0, f"{suspect.item} tells where {path} is looked for: {quoted(line)}")


def _is_within(path: str, place: str) -> bool:
    return len(place) > 2 and place.startswith("/") and (path == place or path.startswith(place.rstrip("/") + "/"))


def _reach(line: str, situation: Situation) -> Iterator[Clue]:
    """Another service that cannot be reached: the port, the network, or the setting that tells where it is."""
    ports = set(_PORT.findall(line))
    for suspect, differences in situation.suspects.items():
        if differences[0].kind not in _KINDS:
            continue
        values = [str(value) for one in differences for value in (one.left, one.right) if value]
        if suspect.item.startswith("port:") and suspect.item[5:].partition("/")[0] in ports:
            yield Clue("reach", suspect, 10.0, f"{suspect.item} differs: {quoted(line)}")
        elif suspect.item in _NETWORK:
            yield Clue("reach", suspect, 7.0, f"{suspect.item} differs: {quoted(line)}")
        elif any(len(value) > 2 and value in line for value in values):
            yield Clue("reach", suspect, 9.0, f"{suspect.item} is what could not be reached: {quoted(line)}")
        elif _REACHING.search(suspect.item):
            yield Clue("reach", suspect, 4.0, f"{suspect.item} tells by its name where something is: {quoted(line)}")
