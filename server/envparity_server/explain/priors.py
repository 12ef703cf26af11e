"""A witness of what is likely before more is known: how far versions are apart, what is missing or was rebuilt."""

from collections.abc import Callable, Iterator, Mapping

from envparity_agent.kinds import INTERPRETER_ITEM
from envparity_server.compare.groups import text
from envparity_server.compare.model import Difference, Distance, State
from envparity_server.explain.model import Evidence, Situation
from envparity_server.explain.requirements import breaking_step
from envparity_server.explain.standing import Standing, standings

_UNSEEN = -3.0  # nobody could compare it
_EXPECTED = -4.0  # a person said that it is to differ

_MAJOR, _MINOR = 2.0, 1.0
_STEPS = {
    Distance.MAJOR: _MAJOR, Distance.MINOR: _MINOR, Distance.PATCH: 0.0, Distance.PRE: 0.5, Distance.LOCAL: 0.5,
    Distance.UNORDERED: 1.0, Distance.REBUILD: 1.0,
}  # fmt: skip
_OF_MANY = 20  # a project that counts so far makes a major step of many a release
_CALENDAR = 1990  # a first number from here on is a year, and says nothing about compatibility

_MISSING, _ADDED = 2.5, -0.5
_NATIVE = 0.5
_SOURCES = {
    "commit": "it is installed from another commit",
    "head": "its checkout is at another commit",
    "dirty": "on one side its checkout has changes that are in no commit",
    "changes": "its checkout has other uncommitted changes",
    "editable": "on one side alone it is installed in editable mode",
}
_OF_INTERPRETER = {
    "orphaned": (5.0, "its base interpreter is gone on one side"),
    "restart_needed": (2.0, "a process runs from the environment that is older than what is on disk"),
    "implementation": (3.0, "it is another implementation of Python"),
    "system_site": (1.5, "on one side alone the base interpreter's packages are visible"),
    "hooks": (1.0, "other code runs at its start"),
    "path": (1.0, "modules are looked for in other places"),
}


def priors(situation: Situation) -> Iterator[Evidence]:
    """Evidence from the differences of packages themselves, and against none of which nothing is known."""
    for standing in standings(situation):
        if not standing.is_known:
            yield _unknown(standing)
        elif standing.kind in _BY_KIND:
            yield from _BY_KIND[standing.kind](standing)


def _unknown(standing: Standing) -> Evidence:
    expected = next((one for one in standing.differences if one.state == State.EXPECTED), None)
    if expected:
        return Evidence(standing.suspect, _EXPECTED, f"a rule expects the difference: {expected.reason}")
    return Evidence(standing.suspect, _UNSEEN, "whether it differs could not be told")


def _python(standing: Standing) -> Iterator[Evidence]:
    if standing.suspect.item == INTERPRETER_ITEM:
        yield from _interpreter(standing)
    elif not standing.suspect.item:
        yield from _one_sided(standing)
    else:
        yield from _distribution(standing)


def _distribution(standing: Standing) -> Iterator[Evidence]:
    """A Python distribution, installed or declared."""
    yield from _one_sided(standing)
    version = standing.difference("version")
    if version and version.state == State.CHANGED:
        yield _step(standing, str(version.left), str(version.right), version.distance)
    elif found := standing.difference("build", "channel", "content", "pure", "tags"):
        yield Evidence(standing.suspect, _STEPS[Distance.REBUILD], f"the same version has other {found.attribute}")
    elif standing.difference("metadata"):
        yield Evidence(standing.suspect, -1.0, "the same code has other metadata")
    elif source := standing.difference(*_SOURCES):
        yield Evidence(standing.suspect, 1.5, _SOURCES[source.attribute])
    elif found := standing.difference("problem"):
        yield Evidence(standing.suspect, 4.0, f"its metadata is broken: {text(found.right) or text(found.left)}")
    if standing.good and standing.bad and any(_is_native(one) for one in (standing.good, standing.bad)):
        yield Evidence(standing.suspect, _NATIVE, "it has native code")


def _one_sided(standing: Standing) -> Iterator[Evidence]:
    states = {one.state for one in standing.differences}
    if State.ONLY_LEFT in states:
        yield Evidence(standing.suspect, _MISSING, "the bad side does not have it")
    elif State.ONLY_RIGHT in states:
        yield Evidence(standing.suspect, _ADDED, "only the bad side has it; what is added seldom breaks what is there")


def _is_native(attributes: Mapping[str, object]) -> bool:
    tags = attributes.get("tags")
    return isinstance(tags, tuple) and bool(tags) and not any(tag.endswith("-none-any") for tag in tags)


def _step(standing: Standing, was: str, is_now: str, distance: Distance | None) -> Evidence:
    step = breaking_step(was, is_now) if distance == Distance.MINOR else distance or Distance.UNORDERED
    told = f"the version goes from {was} to {is_now}"
    if step == Distance.UNORDERED:
        return Evidence(standing.suspect, _STEPS[step], f"{told}; these have no order")
    if step != Distance.MAJOR:
        return Evidence(standing.suspect, _STEPS[step], f"{told}, a {step} step")
    counted = _first_number(is_now)
    if counted >= _CALENDAR:
        return Evidence(standing.suspect, _MINOR / 2, f"{told}: these count years")
    if counted >= _OF_MANY:
        return Evidence(standing.suspect, _MINOR, f"{told}, a major step of a project that makes many")
    small = "" if distance == Distance.MAJOR else ": below 1.0 a minor step may break as much as a major one"
    return Evidence(standing.suspect, _MAJOR, f"{told}, a {distance} step{small}")


def _first_number(version: str) -> int:
    first = version.partition("!")[2].partition(".")[0] or version.partition(".")[0]
    return int(first[:9]) if first.isdecimal() else 0


def _interpreter(standing: Standing) -> Iterator[Evidence]:
    """Python itself: a minor version removes modules and names."""
    version = standing.difference("version", "abi")
    if version and version.state == State.CHANGED:
        points = {Distance.MAJOR: 5.0, Distance.MINOR: 3.0}.get(version.distance or Distance.MINOR, 0.0)
        yield Evidence(standing.suspect, points, f"Python is {text(version.right)} instead of {text(version.left)}")
    for attribute, (points, sentence) in _OF_INTERPRETER.items():
        if standing.difference(attribute):
            yield Evidence(standing.suspect, points, sentence)


def _package(standing: Standing) -> Iterator[Evidence]:
    """A package of the operating system: most of them no application uses."""
    difference = standing.differences[0]
    if difference.state == State.ONLY_LEFT:
        yield Evidence(standing.suspect, 0.5, "the bad side does not have it")
    elif difference.state == State.ONLY_RIGHT:
        yield Evidence(standing.suspect, -1.5, "only the bad side has it")
    else:
        points = {Distance.MAJOR: 0.5, Distance.MINOR: 0.0}.get(difference.distance or Distance.PATCH, -1.0)
        yield Evidence(standing.suspect, points, _changed(difference))


def _changed(difference: Difference) -> str:
    return f"{difference.attribute} goes from {text(difference.left)} to {text(difference.right)}"


_BY_KIND: Mapping[str, Callable[[Standing], Iterator[Evidence]]] = {
    "python": _python,
    "declared": _python,
    "os-packages": _package,
}
