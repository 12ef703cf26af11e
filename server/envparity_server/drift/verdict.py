"""A gate's answer: drift, parity, or unknown; what could not be compared is never parity."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from envparity_server.compare.groups import Expected, expected
from envparity_server.compare.model import DRIFT_STATES, UNKNOWN_STATES, Comparison, Difference, Pair, Severity


class Outcome(StrEnum):
    """The three answers."""

    PARITY = "parity"
    DRIFT = "drift"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Verdict:
    """An answer with its reasons, the differences that are at or over the threshold, and those that rules expect."""

    outcome: Outcome
    threshold: Severity
    reasons: tuple[str, ...]
    differences: tuple[Difference, ...]
    pairs: tuple[Pair, ...] = ()
    expected: tuple[Expected, ...] = ()

    @property
    def ignored(self) -> int:
        """How many differences are expected, whatever their severity."""
        return sum(one.count for one in self.expected)

    def document(self) -> dict[str, Any]:
        """The verdict as `gate --json` prints it."""
        return {
            "schema": 1,
            "verdict": str(self.outcome),
            "threshold": self.threshold.word,
            "reasons": list(self.reasons),
            "differences": [one.document() for one in self.differences],
            "paired": [one.document() for one in self.pairs],
            "expected": self.ignored,
            "rules": [{"rule": one.rule, "reason": one.reason, "expected": one.count} for one in self.expected],
        }


def judge(comparison: Comparison, threshold: Severity, doubts: Sequence[str] = ()) -> Verdict:
    """Drift at or over the threshold wins; otherwise any doubt is unknown; otherwise there is parity.

    `doubts` are reasons from outside the comparison why it may not tell: a stale host, a split vote. What was paired
    without being sure is a doubt, and neither drift nor parity. What a rule expects is no drift, and is counted.
    """
    unsure = {pair.left: pair for pair in comparison.pairs if not pair.sure}
    doubts = (*doubts, *(f"{one.left} was held against {one.right}: {one.why}; name the right one with #{one.right}"
                         for one in unsure.values()))  # fmt: skip
    drift = tuple(
        one
        for one in comparison.differences
        if one.state in DRIFT_STATES and one.severity >= threshold and one.section not in unsure
    )
    unread = [f"{one.section}: {one.why}" for one in comparison.unexamined if not one.beyond]
    unknown = [one for one in comparison.differences if one.state in UNKNOWN_STATES]
    said = {one.section for one in comparison.unexamined}
    reasons = [*doubts, *unread, *(_told(one) for one in unknown if one.section not in said)]
    if not comparison.examined:
        reasons.append("nothing in scope could be compared")
    outcome = Outcome.DRIFT if drift else Outcome.UNKNOWN if reasons else Outcome.PARITY
    covered = tuple(expected(comparison.differences))
    return Verdict(outcome, threshold, tuple(reasons), drift, comparison.pairs, covered)


def _told(difference: Difference) -> str:
    place = f"{difference.section}: {difference.item}" if difference.item else difference.section
    return f"{place} is {difference.state}"
