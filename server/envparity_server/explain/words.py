"""How an explanation is said: the same words for the terminal, for files and for pages."""

from collections.abc import Sequence
from dataclasses import dataclass

from envparity_server.compare.groups import LEFT_AND_RIGHT, Sides, wording
from envparity_server.compare.model import DRIFT_STATES, State
from envparity_server.explain.model import Cause, Explanation

SHOWN = 5  # causes that are told in full, unless all are asked for


@dataclass(frozen=True)
class Shown:
    """The causes that are told in full, and what is said of the others."""

    causes: Sequence[Cause]
    below: Sequence[Cause]

    @property
    def rest(self) -> str:
        """How many others there are; that some are as likely as the last one is no detail."""
        if not self.below:
            return ""
        count = len(self.below)
        told = f"{count} other difference{'s' if count > 1 else ''} rank{'' if count > 1 else 's'} below"
        equal = _as_likely(self.causes[-1], self.below)
        return f"{told}, {equal} of them with as many points as number {self.causes[-1].rank}" if equal else told


def _as_likely(cause: Cause, others: Sequence[Cause]) -> int:
    """How many others have as many points: their order is that of their names alone."""
    return sum(round(one.score, 2) == round(cause.score, 2) for one in others)


def shown(explanation: Explanation, everything: bool) -> Shown:
    """The first few causes, or all of them."""
    number = len(explanation.causes) if everything else SHOWN
    return Shown(explanation.causes[:number], explanation.causes[number:])


def headline(cause: Cause, sides: Sides = LEFT_AND_RIGHT) -> str:
    """What differs in one line: `urllib3 1.26.18 → 2.2.1 (major)`."""
    known = [one for one in cause.differences if one.state in DRIFT_STATES] or list(cause.differences)
    first = next((one for one in known if one.attribute == "version"), known[0])
    distance = f" ({first.distance})" if first.distance and first.state != State.EXPECTED else ""
    more = f", and {len(known) - 1} more of it" if len(known) > 1 else ""
    return f"{cause.suspect.item or 'the whole section'} {wording(first, sides)}{distance}{more}"


def summary(explanation: Explanation) -> str:
    """What was found, in one line."""
    count = len(explanation.causes)
    if not count:
        return "nothing differs that could be compared" if explanation.comparison.examined else "nothing was compared"
    told = f"{count} difference{'s' if count > 1 else ''}, the likeliest cause first"
    equal = _as_likely(explanation.causes[0], explanation.causes)
    return f"{told}; {equal} of them are equally likely as far as is known" if equal > 1 else told


def unexamined(explanation: Explanation) -> list[str]:
    """What was not looked at, and what was not known."""
    told = [f"{one.section}: {one.why}" if one.section else one.why for one in explanation.comparison.unexamined]
    return [*told, *explanation.notes]
