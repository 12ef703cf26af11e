"""What to try next: the run, or the change of some items, whose outcome tells the likeliest suspects best apart.

A trial is worth the bits that its outcome is expected to tell about which item is to blame: the entropy of the outcome,
less what would remain of it if the item were known, as a label may be wrong.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from envparity_server.explain.claims import Claim, listed
from envparity_server.explain.outcomes import Findings, Suspect

_WRONG = 0.1  # how often a label is taken to be wrong
_NOBODY_KNOWS = 0.5
_SUSPECTS = 20  # the likeliest ones, which a trial is to tell apart
_UNLIKELY = 0.02  # of the first one's belief: below that nobody asks
_CHANGED = 3  # of them, those whose items a trial may change
_LEAST = 0.01  # bits below which a trial is not worth it


@dataclass(frozen=True)
class Trial:
    """Something to run, in words, and how many bits its outcome is expected to tell."""

    words: str
    gain: float
    run: str  # which host or job
    changed: Sequence[Claim] = ()  # what to bring about there first; empty: nothing


class _Hypothesis(NamedTuple):
    """One item that may be to blame, and how likely that is among those that are looked at."""

    claim: Claim
    weight: float


def trials(findings: Findings, most: int = 3) -> list[Trial]:
    """The best trials, the most telling first; none where nothing is left to tell apart."""
    suspects = [one for leader in findings.suspects for one in (leader, *leader.nearby)]
    likeliest = sorted(suspects, key=lambda one: -one.belief)[:_SUSPECTS]
    likeliest = [one for one in likeliest if one.belief >= _UNLIKELY * likeliest[0].belief]
    total = math.fsum(one.belief for one in likeliest)
    items = [_Hypothesis(claim, one.belief / len(one.claims) / total) for one in likeliest for claim in one.claims]
    found = [*_labels(findings, items), *_changes(findings, likeliest, items)]
    worth = [one for one in found if one.gain >= _LEAST]
    return sorted(worth, key=lambda one: (-round(one.gain, 9), bool(one.changed), one.run))[:most]


def _labels(findings: Findings, items: Sequence[_Hypothesis]) -> Iterator[Trial]:
    """Runs that nobody has labelled yet: what each suspect says about them."""
    for place, run in enumerate(findings.runs):
        if run.failed is not None:
            continue
        expected = [_fails(findings, one.claim, place) for one in items]
        having, lacking = (
            [one.claim for one, fails in zip(items, expected, strict=True) if fails == wanted]
            for wanted in (1 - _WRONG, _WRONG)
        )
        if having and lacking:
            words = (
                f"label {run.name}, which has no label yet: if it fails, {_either(having)} is likelier; "
                f"if it passes, {_either(lacking)}"
            )
            yield Trial(words, _gain(items, expected), run.name)


def _changes(findings: Findings, suspects: Sequence[Suspect], items: Sequence[_Hypothesis]) -> Iterator[Trial]:
    """Half of what a suspect is, brought about on a passing run that has none of it."""
    for suspect in suspects[:_CHANGED]:
        place = _clean(findings, suspect)
        changed = [one for one in suspect.claims if one.item][: (len(suspect.claims) + 1) // 2]
        if place is None or not changed:
            continue
        moved = {one.place for one in changed}
        expected = [
            1 - _WRONG if one.claim in changed
            else _NOBODY_KNOWS if one.claim.place in moved
            else _fails(findings, one.claim, place)
            for one in items
        ]  # fmt: skip
        rest = [one.claim for one in items if one.claim.place not in moved]
        run = findings.runs[place].name
        told = listed([one.words for one in changed], "and")
        words = f"on {run}, which passes, change this and nothing else, and run it again: {told}; "
        words += f"if it fails, it is {'that' if len(changed) == 1 else 'one of these'}"
        words += f"; if it passes, {_either(rest)} is likelier" if rest else ""
        yield Trial(words, _gain(items, expected), run, tuple(changed))


def _clean(findings: Findings, suspect: Suspect) -> int | None:
    """The first passing run that is known to have nothing of a suspect."""
    without = suspect.split.known & ~suspect.split.holds
    clean = (place for place, run in enumerate(findings.runs) if run.failed is False and without >> place & 1)
    return next(clean, None)


def _fails(findings: Findings, claim: Claim, place: int) -> float:
    """How likely a run fails if this is to blame."""
    split = findings.splits[claim]
    if not split.known >> place & 1:
        return _NOBODY_KNOWS
    return 1 - _WRONG if split.holds >> place & 1 else _WRONG


def _gain(items: Sequence[_Hypothesis], expected: Sequence[float]) -> float:
    """The bits that an outcome is expected to tell, which fails so likely under each of the items."""
    told = [(one.weight, fails) for one, fails in zip(items, expected, strict=True)]
    overall = math.fsum(weight * fails for weight, fails in told)
    return _entropy(overall) - math.fsum(weight * _entropy(fails) for weight, fails in told)


def _entropy(probability: float) -> float:
    parts = (one for one in (probability, 1 - probability) if 0 < one < 1)
    return -math.fsum(one * math.log2(one) for one in parts)


def _either(of: Sequence[Claim]) -> str:
    return listed(list(dict.fromkeys(one.words for one in of)))
