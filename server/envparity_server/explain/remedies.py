"""Says for each cause which steps undo it: printed for a person, and never run."""

from collections.abc import Callable, Mapping

from envparity_agent.kinds import INTERPRETER_ITEM
from envparity_server.explain.model import Cause, Remedy, Situation
from envparity_server.explain.undo.code import of_code
from envparity_server.explain.undo.configuration import of_configuration, of_file
from envparity_server.explain.undo.containers import of_container
from envparity_server.explain.undo.interpreter import of_interpreter
from envparity_server.explain.undo.python import of_distribution, of_files
from envparity_server.explain.undo.settings import of_machine, of_setting
from envparity_server.explain.undo.sides import Sides, sides_of
from envparity_server.explain.undo.system import of_library, of_package, of_release


def remedy(situation: Situation, cause: Cause) -> Remedy | None:
    """The smallest steps that make the bad side in this what the good one is; None where there is nothing to be done.

    A remedy without steps tells in its note what no command can do.
    """
    sides = sides_of(situation, cause)
    undo = _UNDOING.get(sides.kind)
    return undo(sides) if undo else None


def _python(sides: Sides) -> Remedy | None:
    if sides.item == INTERPRETER_ITEM:
        return of_interpreter(sides)
    return of_package(sides) if sides.path.endswith("os-packages") else of_distribution(sides)


_UNDOING: Mapping[str, Callable[[Sides], Remedy | None]] = {
    "application": of_code,
    "configuration": of_configuration,
    "container": of_container,
    "declared": _python,
    "file": of_file,
    "libraries": of_library,
    "machine": of_machine,
    "os": of_release,
    "os-packages": of_package,
    "python": _python,
    "python-files": of_files,
    "settings": of_setting,
}
