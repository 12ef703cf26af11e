"""Ranks what differs by the evidence of all witnesses: each looks at the situation for itself, and points are added."""

from collections.abc import Callable, Iterable
from dataclasses import replace

from envparity_server.explain.access import of_access
from envparity_server.explain.binary import binary
from envparity_server.explain.libraries import libraries
from envparity_server.explain.limits import limits
from envparity_server.explain.linking import linking
from envparity_server.explain.model import Cause, Evidence, Explanation, Situation, Suspect
from envparity_server.explain.native import of_native
from envparity_server.explain.priors import priors
from envparity_server.explain.remedies import remedy
from envparity_server.explain.requirements import requirements
from envparity_server.explain.rewritten import of_rewritten
from envparity_server.explain.settings import of_settings
from envparity_server.explain.shadowing import of_own_modules
from envparity_server.explain.source_names import source_names
from envparity_server.explain.surroundings import surroundings
from envparity_server.explain.system_uses import system_uses
from envparity_server.explain.told_values import of_values
from envparity_server.explain.tracebacks import of_traceback
from envparity_server.explain.wheels import wheels

Witness = Callable[[Situation], Iterable[Evidence]]
REMEDIED = 10  # causes, from the likeliest on, of which it is said how they are undone
WITNESSES: tuple[Witness, ...] = (
    of_traceback,
    of_native,
    of_settings,
    of_values,
    of_access,
    of_own_modules,
    of_rewritten,
    linking,
    binary,
    priors,
    requirements,
    wheels,
    libraries,
    system_uses,
    source_names,
    surroundings,
)


def explain(situation: Situation) -> Explanation:
    """The causes of a failure, the likeliest first: by points, then by name, so that the order is always the same.

    Evidence against what does not differ is dropped: it cannot be why one side works and the other one does not.
    """
    found: dict[Suspect, list[Evidence]] = {suspect: [] for suspect in situation.suspects}
    for witness in WITNESSES:
        for one in witness(situation):
            if one.suspect in found:
                found[one.suspect].append(one)
    scored = {suspect: sum(one.points for one in evidence) for suspect, evidence in found.items()}
    causes = []
    for rank, suspect in enumerate(sorted(found, key=lambda one: (-scored[one], one)), start=1):
        differences = situation.suspects[suspect]
        evidence = sorted(found[suspect], key=lambda one: (-one.points, one.text))
        cause = Cause(rank, suspect, differences[0].kind, scored[suspect], evidence, differences)
        causes.append(cause)
    causes[:REMEDIED] = [replace(one, remedy=remedy(situation, one)) for one in causes[:REMEDIED]]
    return Explanation(situation.comparison, causes, limits(situation))
