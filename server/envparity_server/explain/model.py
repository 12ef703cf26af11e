"""The words of an explanation: what is known of a failure, evidence against a suspect, and causes in their order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from envparity_agent.collectors.values import Key
from envparity_agent.fingerprint import FingerprintLike, SectionLike
from envparity_server.compare.model import Comparison, Difference
from envparity_server.explain.failures import Failure


class Suspect(NamedTuple):
    """An item that differs, or that one side lacks; an empty item stands for the whole section."""

    section: str  # as `compare` names it: of the good side where both have it
    item: str


class Rewritten(NamedTuple):
    """The words that only one side has of a text that differs."""

    lost: frozenset[str]  # of the good side alone
    gained: frozenset[str]  # of the bad side alone


@dataclass(frozen=True)
class Situation:
    """All that is known: both sides, how they differ, and what of the failure and of the code was told.

    `symbols` sections of both sides are in their fingerprints; `application` is the same kind for the source of the
    application itself, whose modules are nobody's distribution. `rewritten` tells of files that could be read here.
    """

    good: FingerprintLike
    bad: FingerprintLike
    comparison: Comparison  # good is left, bad is right
    failure: Failure | None = None
    application: SectionLike | None = None
    key: Key | None = None  # under which values were hashed, where whoever asks holds it
    rewritten: Mapping[Suspect, Rewritten] = field(default_factory=dict)
    suspects: Mapping[Suspect, tuple[Difference, ...]] = field(init=False)

    def __post_init__(self) -> None:
        found: dict[Suspect, list[Difference]] = {}
        for one in self.comparison.differences:
            found.setdefault(Suspect(one.section, one.item), []).append(one)
        object.__setattr__(self, "suspects", {key: tuple(differences) for key, differences in found.items()})


@dataclass(frozen=True)
class Evidence:
    """One sentence that a person can check, and how much it says against a suspect, or for it where below zero.

    Points are added up; they are logarithms of odds to the base 2: a point doubles the odds that it is the cause.
    """

    suspect: Suspect
    points: float
    text: str


@dataclass(frozen=True)
class Remedy:
    """The smallest steps that undo a cause, in the user's own tools, and what they were checked against."""

    steps: tuple[str, ...]  # commands or lines of a file; printed, never run; none where only the note can tell
    note: str = ""


@dataclass(frozen=True)
class Cause:
    """A suspect in its rank, with its evidence, the weightiest first."""

    rank: int
    suspect: Suspect
    kind: str
    score: float
    evidence: Sequence[Evidence]
    differences: Sequence[Difference]
    remedy: Remedy | None = None

    def document(self) -> dict[str, Any]:
        """The cause as `explain --json` has it."""
        return {
            "rank": self.rank,
            "section": self.suspect.section,
            "item": self.suspect.item or None,
            "kind": self.kind,
            "score": round(self.score, 2),
            "reasons": [one.text for one in self.evidence],
            "differences": [one.document() for one in self.differences],
            "remedy": "\n".join(self.remedy.steps) if self.remedy and self.remedy.steps else None,
            **({"remedy_note": self.remedy.note} if self.remedy and self.remedy.note else {}),
        }


@dataclass(frozen=True)
class Explanation:
    """The causes, the likeliest first, and what was not looked at."""

    comparison: Comparison
    causes: Sequence[Cause]
    notes: Sequence[str] = ()

    def document(self) -> dict[str, Any]:
        """The explanation as `explain --json` prints it."""
        return {
            "schema": 1,
            "left": {"kind": self.comparison.left.kind, "name": self.comparison.left.name},
            "right": {"kind": self.comparison.right.kind, "name": self.comparison.right.name},
            "causes": [one.document() for one in self.causes],
            "not_examined": [{"section": one.section or None, "why": one.why} for one in self.comparison.unexamined],
            "notes": list(self.notes),
        }
