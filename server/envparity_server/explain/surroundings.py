"""A witness of what is around the packages: the application's code, patched files, configuration, images, system."""

import re
from collections.abc import Callable, Iterator, Mapping

from envparity_agent.fingerprint import Attributes, as_texts
from envparity_agent.kinds import CODE_ITEM
from envparity_server.compare.groups import text
from envparity_server.compare.model import DRIFT_STATES, Distance, State
from envparity_server.explain.model import Evidence, Situation, Suspect
from envparity_server.explain.standing import Standing, standings
from envparity_server.explain.telling import told_by_files

_FILE_ITEM = "@file"  # of a section of kind `file`: the configuration file itself
_MOST_NAMES = 3

# first word of an item of a configuration -> points where the bad side lacks it, has another value, has it alone
_SETTINGS = {
    "env": (4.0, 1.5, 0.5),
    "mount": (4.0, 2.0, 0.5),
    "command": (2.0, 1.5, 0.5),
    "entrypoint": (2.0, 1.5, 0.5),
    "user": (2.0, 2.0, 1.0),
    "workdir": (2.0, 2.0, 1.0),
    "limit": (0.5, 1.0, 1.0),
    "label": (-1.0, -1.0, -1.0),
}
# what the interpreter and the C library read and work otherwise by; not what only moves or buffers their output
# https://docs.python.org/3/using/cmdline.html#environment-variables
OF_RUNTIME = re.compile(
    r"TZ$|LANG$|LANGUAGE$|LC_(?:ALL|CTYPE|COLLATE|NUMERIC|TIME|MONETARY)$|LD_(?:PRELOAD|LIBRARY_PATH)$|MALLOC_CHECK_$"
    r"|PYTHON(?:HOME|PATH|PLATLIBDIR|SAFEPATH|OPTIMIZE|DEVMODE|WARNINGS|UTF8|IOENCODING|COERCECLOCALE|NOUSERSITE"
    r"|INTMAXSTRDIGITS|MALLOC|STARTUP|BREAKPOINT|ASYNCIODEBUG)$"
)
_RUNTIME = 4.0
_OTHER_SETTING = (1.5, 0.5, 0.0)
_KEY = (3.0, 1.0, 0.0)  # of a configuration file
_FILE = (4.5, 0.5, 0.0)
_SOURCE_FILE = (4.5, 2.5, 0.5)  # of the application
# what lies beside the code and no run of it reads: what is installed by it stands for itself
_BESIDE = re.compile(
    r"\.(?:md|rst|adoc)$|(?:^|/)(?:docs?|tests?|\.[\w-]+)/|(?:^|/)(?:test_[^/]*|conftest)\.py$"
    r"|(?:^|/)(?:(?:dev-|test-)?requirements[\w.-]*\.(?:txt|in)|[\w.-]*\.lock|pylock\.[\w.]*toml|setup\.(?:py|cfg)"
    r"|pyproject\.toml|Pipfile|Makefile|Dockerfile|LICEN[CS]E|VERSION|RELEASE|CHANGE\w*|AUTHORS|NOTICE|\.\w+)$",
    re.IGNORECASE,
)
_BESIDE_CODE = (0.0, -1.0, -1.0)
_UNMENTIONED = -1.5  # what is missing is named by an error as a rule

_CODE = 3.0
_CODE_BY_FILES = 1.0  # its files say which of it
_IMAGE_BEHIND_TAG, _IMAGE = 3.0, 2.0


def surroundings(situation: Situation) -> Iterator[Evidence]:
    """Evidence from everything that is no package."""
    for standing in standings(situation, *_BY_KIND):
        if standing.is_known:
            yield from _BY_KIND[standing.kind](situation, standing)


def _side(standing: Standing, points: tuple[float, float, float], what: str) -> Evidence:
    """By which side has it: a lack weighs more than another value, and that more than an addition."""
    states = {one.state for one in standing.differences}
    if State.ONLY_LEFT in states:
        return Evidence(standing.suspect, points[0], f"the bad side lacks {what}")
    if State.ONLY_RIGHT in states:
        return Evidence(standing.suspect, points[2], f"only the bad side has {what}")
    return Evidence(standing.suspect, points[1], f"{what} is not the same on the two sides")


def _unmentioned(situation: Situation, standing: Standing, name: str) -> Iterator[Evidence]:
    """Against what the bad side lacks, where an error was told that says nothing of it."""
    lacks = any(one.state == State.ONLY_LEFT for one in standing.differences)
    short = name.rpartition("/")[2]
    if lacks and situation.failure and situation.failure.raised and short not in situation.failure.text:
        told = f"what is missing is named by an error as a rule, and {short} is not"
        yield Evidence(standing.suspect, _UNMENTIONED, told)


def _configuration(situation: Situation, standing: Standing) -> Iterator[Evidence]:
    first, _, name = standing.suspect.item.partition(":")
    if first == "env" and OF_RUNTIME.match(name):
        told = f"Python or the C library itself reads the variable {name}, whatever runs: it is not the same"
        yield Evidence(standing.suspect, _RUNTIME, told)
        return
    what = {
        "env": f"the environment variable {name}",
        "mount": f"the mount at {name}",
    }.get(first, f"the setting {standing.name}")
    yield _side(standing, _SETTINGS.get(first, _OTHER_SETTING), what)
    if first in ("env", "mount"):
        yield from _unmentioned(situation, standing, name)


def _file(situation: Situation, standing: Standing) -> Iterator[Evidence]:
    path = "/" + standing.suspect.section.partition("config/")[2]
    if standing.suspect.item == _FILE_ITEM:
        yield _side(standing, _FILE, f"the file {path}")
        yield from _unmentioned(situation, standing, path)
    elif _differs(situation, standing.suspect.section, _FILE_ITEM, State.ONLY_LEFT, State.ONLY_RIGHT):
        yield Evidence(standing.suspect, 0.0, f"the whole file {path} is on one side only")
    else:
        yield _side(standing, _KEY, f"the key {standing.name} of {path}")


def _differs(situation: Situation, section: str, item: str, *states: State) -> bool:
    return any(one.state in states for one in situation.suspects.get(Suspect(section, item), ()))


def _application(situation: Situation, standing: Standing) -> Iterator[Evidence]:
    if standing.suspect.item != CODE_ITEM:
        kind, _, path = standing.suspect.item.partition(":")
        what = f"the application's file {path}" if kind == "file" else f"the application's {standing.name}"
        yield _side(standing, _BESIDE_CODE if _BESIDE.search(path) else _SOURCE_FILE, what)
        if kind == "file":
            yield from _unmentioned(situation, standing, path)
        return
    points = _CODE_BY_FILES if standing.suspect.section in told_by_files(situation) else _CODE
    for one in standing.differences:
        if one.state not in DRIFT_STATES:
            continue
        if one.attribute == "dirty":
            side = "bad" if one.right else "good"
            yield Evidence(standing.suspect, points, f"the code of the {side} side has changes that are in no commit")
        elif one.attribute == "changes":
            yield Evidence(standing.suspect, points, "the code has other uncommitted changes")
        elif one.attribute == "shadowed":
            yield Evidence(standing.suspect, points, "on one side a mount hides the code that the image has")
        else:
            told = (
                f"{one.attribute} {text(one.left)[:19]} → {text(one.right)[:19]}" if one.attribute else str(one.state)
            )
            yield Evidence(standing.suspect, points, f"the application's own code is not the same: {told}")


def _patched(_situation: Situation, standing: Standing) -> Iterator[Evidence]:
    """Files of a distribution that are not what its RECORD says."""
    for attribute, points in (("missing", 6.0), ("modified", 5.0)):
        good, bad = _files(standing.good, attribute), _files(standing.bad, attribute)
        word = {"missing": "are missing", "modified": "were modified"}[attribute]
        if bad - good:
            told = f"files of {standing.name} {word} on the bad side since they were installed: {_few(bad - good)}"
            yield Evidence(standing.suspect, points, told)
        elif good - bad:
            told = f"files of {standing.name} {word} on the good side alone since they were installed: "
            yield Evidence(standing.suspect, points - 1, told + _few(good - bad))
    if standing.difference("content") and _files(standing.good, "modified") & _files(standing.bad, "modified"):
        yield Evidence(standing.suspect, 4.0, f"files of {standing.name} were modified on both sides, and not alike")


def _files(attributes: Attributes | None, name: str) -> frozenset[str]:
    return frozenset(as_texts((attributes or {}).get(name)))


def _few(names: frozenset[str]) -> str:
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return ", ".join(sorted(names)[:_MOST_NAMES]) + more


def _container(_situation: Situation, standing: Standing) -> Iterator[Evidence]:
    item = standing.suspect.item
    difference = standing.differences[0]
    if not item:
        yield _side(standing, (3.0, 1.0, 0.0), f"the container {standing.suspect.section}")
    elif item == "image":
        good, bad = standing.good or {}, standing.bad or {}
        reference = str(bad.get("reference") or "")
        if difference.attribute != "reference" and reference and reference == good.get("reference"):
            told = f"{reference} is another image on either side: the tag is the same, what is behind it is not"
            yield Evidence(standing.suspect, _IMAGE_BEHIND_TAG, told)
        else:
            yield Evidence(standing.suspect, _IMAGE, f"another image runs: {difference.attribute} differs")
    elif item.startswith("layer:"):
        place = item.removeprefix("layer:")
        if State.ONLY_LEFT in {one.state for one in standing.differences}:
            yield Evidence(standing.suspect, 1.5, f"{place} was changed by hand in the good container alone")
        else:
            yield Evidence(standing.suspect, 1.5, f"{place} was changed by hand in the bad container")
    else:
        yield Evidence(standing.suspect, 0.0, f"{standing.name} is not the same")


def _engine(_situation: Situation, standing: Standing) -> Iterator[Evidence]:
    yield Evidence(standing.suspect, -1.0, "what runs the containers is not the same")


def _system(_situation: Situation, standing: Standing) -> Iterator[Evidence]:
    """The distribution of the system, its C library, its architecture."""
    difference = standing.difference("family", "machine", "id", "version", "point_release")
    if difference is None:
        return
    if difference.attribute in ("family", "machine"):
        points = 3.0
    elif difference.attribute == "id":
        points = 1.5
    else:
        points = {Distance.MAJOR: 1.0, Distance.MINOR: 0.5}.get(difference.distance or Distance.PATCH, -0.5)
    sentence = f"{standing.name}: {difference.attribute} goes from {text(difference.left)} to {text(difference.right)}"
    yield Evidence(standing.suspect, points, sentence)


def _machine(_situation: Situation, standing: Standing) -> Iterator[Evidence]:
    good, bad = _files(standing.good, "features"), _files(standing.bad, "features")
    if good - bad:
        lacks = f"the processor of the bad side lacks {_few(good - bad)}"
        yield Evidence(standing.suspect, 1.5, lacks)
    elif standing.difference("given", "total"):
        yield Evidence(standing.suspect, 0.5, "the bad side has another amount of processors or memory")
    else:
        yield Evidence(standing.suspect, -1.0, "machines differ, and few applications depend on it")


def _setting(_situation: Situation, standing: Standing) -> Iterator[Evidence]:
    points = 1.0 if standing.suspect.item.startswith(("locale", "timezone", "time")) else 0.0
    yield _side(standing, (points, points, points - 0.5), f"the setting {standing.name}")


_BY_KIND: Mapping[str, Callable[[Situation, Standing], Iterator[Evidence]]] = {
    "application": _application,
    "configuration": _configuration,
    "container": _container,
    "containers": _engine,
    "file": _file,
    "machine": _machine,
    "os": _system,
    "python-files": _patched,
    "settings": _setting,
}
