"""Who of several suspects broke something that needs all of them as they were: who would break it alone."""

from collections.abc import Iterator, Mapping

from envparity_server.compare.model import DRIFT_STATES
from envparity_server.explain.model import Evidence, Situation, Suspect

_SHARED = 0.6  # of the points, for each of those that break it only together


def differs(situation: Situation, suspect: Suspect) -> bool:
    """Whether a difference of a suspect is known."""
    return any(one.state in DRIFT_STATES for one in situation.suspects.get(suspect, ()))


def blamed(situation: Situation, alone: Mapping[Suspect, bool], points: float, sentence: str) -> Iterator[Evidence]:
    """Evidence against each suspect that, changed alone in the good environment, would have broken it.

    `alone` says of each whether it would. Where none does, those that differ broke it together.
    """
    differing = [one for one in alone if differs(situation, one)]
    guilty = [one for one in differing if alone[one]]
    each = points if guilty or len(differing) == 1 else _SHARED * points
    for suspect in guilty or differing:
        yield Evidence(suspect, each, sentence)
