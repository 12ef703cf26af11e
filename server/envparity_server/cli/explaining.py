"""Explains what a person names: two targets, what the failing run printed, and the application's source."""

import sys
from datetime import UTC, datetime

from envparity_agent.collectors.interface import Options
from envparity_agent.collectors.memory import Memory
from envparity_agent.collectors.python.symbols import uncollected
from envparity_agent.errors import UsageError
from envparity_agent.project import NONE, Project
from envparity_server.cli.linked import with_symbols
from envparity_server.cli.rewritten import rewritten
from envparity_server.cli.sides import keyed, side
from envparity_server.compare.differences import compare
from envparity_server.compare.scope import EVERYTHING, Scope
from envparity_server.drift.rules import applied, of_project
from envparity_server.drift.severity import rate
from envparity_server.explain.causes import explain
from envparity_server.explain.failures import Failure, parse_failure
from envparity_server.explain.model import Explanation, Situation

MAX_FAILURE = 1024 * 1024  # bytes of a log; the end of a longer one, where the error is


@uncollected()
def explain_targets(
    good: str,
    bad: str,
    failure: Failure | None,
    app_source: str | None,
    options: Options,
    *,
    scope: Scope = EVERYTHING,
    project: Project = NONE,
    server: str | None = None,
    token_file: str | None = None,
) -> Explanation:
    """Why something works with the first target and not with the second one.

    Raises UsageError for what is no target, CannotTell for one that cannot be read or reached.
    """
    rules, severities = of_project(project)
    how = keyed(options, (good, bad))
    memory = Memory(keeps=True)
    (left, one), (right, other) = (side(text, how, server, token_file, memory) for text in (good, bad))
    comparison = rate(compare(left, right, scope))
    comparison = applied(comparison, rules, (one, other), datetime.now(UTC), severities)
    first, second, application = with_symbols(good, bad, comparison, how, app_source, memory)
    changed = rewritten(good, bad, comparison, left, right)
    return explain(
        Situation(first or left, second or right, comparison, failure, application, how.disclosure.key, changed)
    )


def read_failure(path: str | None) -> Failure | None:
    """What a failing run printed, from a file or standard input (`-`); raises UsageError."""
    if path is None:
        return None
    try:
        if path == "-":
            content = sys.stdin.buffer.read()
        else:
            with open(path, "rb") as file:
                content = file.read()
    except (OSError, ValueError) as problem:  # ValueError: a NUL in the name
        reason = problem.strerror if isinstance(problem, OSError) else str(problem)
        raise UsageError(f"cannot read {path}: {reason}", "name the file with the traceback, or - for a pipe") from None
    return parse_failure(content[-MAX_FAILURE:].decode("utf-8", "replace"))
