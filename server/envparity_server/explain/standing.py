"""Where a suspect stands on either side: its section and its attributes, whatever its paths are called there."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from envparity_agent.fingerprint import Attributes, SectionLike
from envparity_server.compare.model import DRIFT_STATES, Difference
from envparity_server.explain.model import Situation, Suspect


@dataclass(frozen=True)
class Standing:
    """A suspect with what each side has of it; None for a side that has nothing."""

    suspect: Suspect
    differences: tuple[Difference, ...]
    good: Attributes | None
    bad: Attributes | None

    @property
    def kind(self) -> str:
        """The kind of its section."""
        return self.differences[0].kind

    @property
    def name(self) -> str:
        """What a sentence calls it."""
        return self.suspect.item or self.suspect.section

    @property
    def is_known(self) -> bool:
        """Whether a difference of it is known: all others could not be compared, or are expected."""
        return any(one.state in DRIFT_STATES for one in self.differences)

    def difference(self, *attributes: str) -> Difference | None:
        """The known difference of the first of some attributes that has one."""
        found = {one.attribute: one for one in self.differences if one.state in DRIFT_STATES}
        return next((found[name] for name in attributes if name in found), None)


def sections(situation: Situation, path: str) -> tuple[SectionLike | None, SectionLike | None]:
    """The sections of both sides that a path of the comparison stands for: where two were paired, it is the good one's.

    None for a side that has none.
    """
    counterparts = {pair.left: pair.right for pair in situation.comparison.pairs}
    good, bad = situation.good.sections, situation.bad.sections
    return good.get(path), bad.get(counterparts.get(path, path))


def standings(situation: Situation, *kinds: str) -> Iterator[Standing]:
    """Every suspect of some kinds, in the order of their names; of all kinds where none is given."""
    for path, suspects in groupby(sorted(situation.suspects), key=lambda one: one.section):
        wanted = [one for one in suspects if not kinds or situation.suspects[one][0].kind in kinds]
        good, bad = (one.items if one and wanted else {} for one in sections(situation, path))
        for one in wanted:
            yield Standing(one, situation.suspects[one], good.get(one.item), bad.get(one.item))
