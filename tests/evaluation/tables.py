"""Prints the ranks of the cases, and how often the culprit is first or among the first three, beside the aims."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from tests.evaluation.judging import Judged
from tests.evaluation.modes import Mode
from tests.evaluation.ranking import Rank

_THEIRS = tuple(mode for mode in Mode if not mode.source)
_HALVES = ("culprits", "tuned", "heldout")
_FIRST, _FIRST_THREE = 1, 3


@dataclass(frozen=True)
class Aim:
    """So large a share of a half has the culprit within the first places; no mode: with all that there is."""

    half: str
    mode: Mode | None
    within: int
    share: Fraction


AIMS = (
    Aim("culprits", Mode.LISTS_TRACEBACK, _FIRST, Fraction(9, 12)),
    Aim("culprits", Mode.BUILT, _FIRST_THREE, Fraction(8, 12)),
    Aim("culprits", Mode.BUILT_SOURCE, _FIRST, Fraction(10, 12)),
    Aim("culprits", Mode.BUILT_SOURCE_TRACEBACK, _FIRST, Fraction(11, 12)),
    Aim("heldout", None, _FIRST_THREE, Fraction(4, 5)),
)


def print_heading() -> None:
    """Print what the columns are."""
    ours = "".join(f"{mode:>13}" for mode in Mode)
    theirs = "".join(f"{mode:>10}" for mode in _THEIRS)
    print(f"{'':<52}{'envparity':>{13 * len(Mode)}} |{'envfixer':>{10 * len(_THEIRS)}}")
    print(f"{'case':<30}{'kind':<22}{ours} |{theirs}   first instead, with all that there is")


def print_case(judged: Judged) -> None:
    """Print one line: rank/causes in each mode; `=`: others have the same score; `-`: the mode does not apply."""
    ours = "".join(f"{_cell(judged.ours.get(mode)):>13}" for mode in Mode)
    theirs = "".join(f"{_cell(judged.theirs.get(mode)):>10}" for mode in _THEIRS)
    leader = judged.best_known.leader if judged.best_known else ""
    line = f"{judged.case.name:<30}{judged.case.kind:<22}{ours} |{theirs}   {judged.problem or leader}"
    print(line.rstrip(), flush=True)


def print_summary(judged: Sequence[Judged]) -> None:
    """Print the counts of each half, and the aims."""
    for half in _HALVES:
        those = [one for one in judged if one.half == half]
        if those:
            print(f"\n{half}: {len(those)} cases; culprit first (of these tied) / in the first three")
            for mode in Mode:
                print(
                    f"  {mode:<14} envparity {_counts(those, _ours(mode)):<24} envfixer {_counts(those, _theirs(mode))}"
                )
            print(f"  {'all there is':<14} envparity {_counts(those, lambda one: one.best_known)}")
    print()
    for aim in AIMS:
        those = [one for one in judged if one.half == aim.half]
        if those:
            print(_aim(aim, those))


def _ours(mode: Mode) -> Callable[[Judged], Rank | None]:
    return lambda one: one.ours.get(mode)


def _theirs(mode: Mode) -> Callable[[Judged], Rank | None]:
    return lambda one: one.theirs.get(mode)


def _counts(judged: Sequence[Judged], of: Callable[[Judged], Rank | None]) -> str:
    ranks = [rank for rank in map(of, judged) if rank]
    if not ranks:
        return "-"
    tied = sum(bool(rank.place == _FIRST and rank.ties) for rank in ranks)
    equal = f" ({tied} tied)" if tied else ""  # equal scores are put in the order of names
    return f"{_within(ranks, _FIRST)}{equal} / {_within(ranks, _FIRST_THREE)} of {len(ranks)}"


def _within(ranks: Sequence[Rank], places: int) -> int:
    return sum(rank.place is not None and rank.place <= places for rank in ranks)


def _aim(aim: Aim, judged: Sequence[Judged]) -> str:
    """One aim: what could not be judged is missed."""
    ranks = [rank for one in judged if (rank := one.ours.get(aim.mode) if aim.mode else one.best_known)]
    reached = Fraction(_within(ranks, aim.within), len(judged))
    where = "first" if aim.within == _FIRST else f"in the first {aim.within}"
    what = f"{aim.half}, {aim.mode or 'all there is'}: {where} in {_within(ranks, aim.within)} of {len(judged)}"
    verdict = "reached" if reached >= aim.share else "MISSED"
    return f"{what:<64} aim {float(aim.share):.0%}  {verdict}"


def _cell(rank: Rank | None) -> str:
    if rank is None:
        return "-"
    return f"{rank.place or 'none'}{'=' if rank.ties else ''}/{rank.of}"
