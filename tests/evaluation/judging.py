"""Judges one case: the rank of its culprit in each mode, ours and envfixer's, and why it could not be told."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.evaluation import envfixer, ranking
from tests.evaluation.cases import Case
from tests.evaluation.making import CannotMake
from tests.evaluation.modes import Mode
from tests.evaluation.ranking import Rank


@dataclass(frozen=True)
class Judged:
    """A case with its ranks; `problem` says why it has none."""

    half: str
    case: Case
    ours: Mapping[Mode, Rank]
    theirs: Mapping[Mode, Rank]
    problem: str = ""

    @property
    def best_known(self) -> Rank | None:
        """Our rank with all that there is of this case."""
        return next((self.ours[mode] for mode in reversed(Mode) if mode in self.ours), None)

    def document(self) -> dict[str, Any]:
        """The outcome as `evaluation.json` has it."""
        return {
            "half": self.half,
            "case": self.case.name,
            "kind": self.case.kind,
            "culprits": [f"{one.section} {one.item}" for one in self.case.culprits],
            "envparity": {str(mode): asdict(rank) for mode, rank in self.ours.items()},
            "envfixer": {str(mode): asdict(rank) for mode, rank in self.theirs.items()},
            "problem": self.problem or None,
        }


def judge(half: str, case: Case, cache: Path) -> Judged:
    """All ranks of a case."""
    ours: dict[Mode, Rank] = {}
    theirs: dict[Mode, Rank] = {}
    try:
        ours.update(ranking.ranks(case, cache))
        theirs.update(envfixer.ranks(case, cache, envfixer.installed(cache)))
    except CannotMake as problem:
        return Judged(half, case, ours, theirs, str(problem))
    return Judged(half, case, ours, theirs)
