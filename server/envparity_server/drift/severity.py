"""How much each difference matters, by its kind, its item and the distance of the versions."""

import re
from dataclasses import replace

from envparity_agent.errors import UsageError
from envparity_agent.kinds import INTERPRETER_ITEM
from envparity_server.compare.model import LOCK, Comparison, Difference, Distance, Severity, State

_PYTHON = {
    Distance.MAJOR: Severity.HIGH,
    Distance.MINOR: Severity.MEDIUM,
    Distance.PATCH: Severity.LOW,
    Distance.PRE: Severity.MEDIUM,
    Distance.LOCAL: Severity.MEDIUM,
    Distance.REBUILD: Severity.MEDIUM,
    Distance.UNORDERED: Severity.MEDIUM,
}
_INTERPRETER = {Distance.MAJOR: Severity.CRITICAL, Distance.MINOR: Severity.HIGH, Distance.PATCH: Severity.LOW}
# what venv and virtualenv install unasked, and `pip freeze` does not tell
_SEEDS = frozenset({"distribute", "pip", "setuptools", "wheel"})
_SYSTEM = {Distance.MAJOR: Severity.MEDIUM}
_LIBRARY = {Distance.MAJOR: Severity.HIGH, Distance.MINOR: Severity.MEDIUM}
# what changes how an application sorts, prints and reckons; limits and sysctl are for its load
_SETTINGS = {"locale": Severity.MEDIUM, "locales": Severity.MEDIUM, "timezone": Severity.MEDIUM}
# by the first word of an item: `env:DATABASE_URL`, `command#2`; all others are medium
_CONFIGURATION = {
    "command": Severity.HIGH,
    "entrypoint": Severity.HIGH,
    "user": Severity.HIGH,
    "limit": Severity.LOW,
    "restart": Severity.LOW,
    "label": Severity.INFO,
}


def rate(comparison: Comparison) -> Comparison:
    """The comparison with a severity on each difference, the most severe first."""
    rated = [_rated(one, severity(one)) for one in comparison.differences]
    rated.sort(key=lambda one: -one.severity)  # stable: within one severity the order by section and item stays
    return replace(comparison, differences=tuple(rated))


def _rated(difference: Difference, rating: Severity) -> Difference:
    return difference if difference.severity == rating else replace(difference, severity=rating)


def severity(difference: Difference) -> Severity:
    """The severity of one difference; what could not be compared has none of its own."""
    if difference.state in (State.UNKNOWN, State.INCOMPARABLE):
        return Severity.INFO
    rated = _by_kind(difference)
    return max(rated, Severity.HIGH) if difference.origin else rated  # whatever it is: somebody patched a container


def _by_kind(difference: Difference) -> Severity:
    match difference.kind:
        case "python" | "declared":
            return _python(difference)
        case "python-files":
            return Severity.HIGH  # code that nobody released
        case "os-packages":
            return _SYSTEM.get(difference.distance or Distance.PATCH, Severity.LOW)
        case "libraries":
            return _library(difference)
        case "settings":
            return _SETTINGS.get(re.split("[:#]", difference.item)[0], Severity.LOW)
        case "os":
            return Severity.HIGH if difference.distance in (None, Distance.MAJOR) else Severity.MEDIUM
        case "container":
            return _container(difference)
        case "containers":
            return Severity.LOW
        case "application":
            return Severity.MEDIUM if difference.item.startswith("file:") else Severity.HIGH
        case "configuration":
            return _CONFIGURATION.get(re.split("[:#]", difference.item)[0], Severity.MEDIUM)
        case "file":
            return Severity.LOW if difference.attribute == "mode" else Severity.MEDIUM
    return Severity.INFO  # the machine below, and the search itself


def _library(difference: Difference) -> Severity:
    """One that is missing, or of another version, is what extension modules break on; another build seldom is."""
    if difference.attribute == "missing":
        return Severity.HIGH
    return _LIBRARY.get(difference.distance or Distance.PATCH, Severity.LOW)


def _python(difference: Difference) -> Severity:
    if not difference.item:
        return Severity.LOW  # a whole environment that only one side has
    if difference.item == INTERPRETER_ITEM:
        if difference.attribute == "specifier":
            return Severity.HIGH  # not one of those that the file is for
        if difference.attribute == "version":
            return _INTERPRETER.get(difference.distance or Distance.UNORDERED, Severity.MEDIUM)
        return Severity.LOW
    if "#" in difference.item:
        return Severity.LOW  # shadowed: it is there, but it is not what imports
    if difference.undeclared:
        return _undeclared(difference)
    if difference.state != State.CHANGED:
        return Severity.HIGH
    if difference.attribute in ("tags", "metadata"):
        return Severity.LOW  # built for another platform, or by another tool, from the same source
    return _PYTHON.get(difference.distance or Distance.UNORDERED, Severity.MEDIUM)


def _undeclared(difference: Difference) -> Severity:
    """What a lock does not name should not be there; what a list does not name is what others of it need."""
    return Severity.MEDIUM if difference.undeclared == LOCK and difference.item not in _SEEDS else Severity.INFO


def _container(difference: Difference) -> Severity:
    if difference.item.startswith("layer:"):
        return Severity.HIGH
    if difference.item == "tag":
        return Severity.MEDIUM
    if difference.attribute == "reference" and difference.distance:
        return Severity.HIGH  # not what the file declares
    if difference.attribute == "reference" and difference.state == State.CHANGED:
        return Severity.INFO  # the same image under another name
    return Severity.CRITICAL if difference.item else Severity.HIGH


def parse_severity(word: str, told: str = "") -> Severity:
    """A severity by its word; raises UsageError, which calls it `told` if that is given."""
    try:
        return Severity[word.upper()]
    except KeyError:
        known = ", ".join(one.word for one in Severity)
        raise UsageError(f"{told or word[:40]} is no severity", f"severities: {known}") from None
