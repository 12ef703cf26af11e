"""The likeliest causes among what fails, each with the steps that undo it, as `explain` ranks them."""

from collections.abc import Sequence
from dataclasses import replace

from envparity_agent.fingerprint import FingerprintLike
from envparity_server.compare.model import Comparison, Difference, Pair
from envparity_server.explain.causes import explain
from envparity_server.explain.model import Situation
from envparity_server.gating.model import Suspected
from envparity_server.gating.places import counterparts
from envparity_server.gating.words import mirrored

MOST = 3


def causes(
    subject: FingerprintLike, reference: FingerprintLike, comparison: Comparison, failing: Sequence[Difference]
) -> tuple[Suspected, ...]:
    """The first few of what fails: the reference is the good side, the subject the bad one."""
    if not failing:
        return ()
    paths = counterparts(comparison)
    turned = replace(
        comparison,
        left=comparison.right,
        right=comparison.left,
        differences=tuple(mirrored(one, paths.get(one.section, "")) for one in failing),
        pairs=tuple(Pair(one.right, one.left, one.why, one.sure) for one in comparison.pairs),
        held=tuple((right, left) for left, right in comparison.held),
    )
    own = {right: left for left, right in comparison.held}
    return tuple(
        Suspected(
            rank=one.rank,
            section=own.get(one.suspect.section, one.suspect.section),
            item=one.suspect.item,
            reasons=tuple(evidence.text for evidence in one.evidence),
            steps=tuple(one.remedy.steps) if one.remedy else (),
            note=one.remedy.note if one.remedy else "",
        )
        for one in explain(Situation(reference, subject, turned)).causes[:MOST]
    )
