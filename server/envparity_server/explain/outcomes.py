"""Which items separate the runs that failed from those that passed: suspects with their support, significance and odds.

1. Claims about items that split the runs alike are one suspect: nothing that was seen can tell them apart.
2. Each suspect has two measures. Significance is Fisher's exact test on the four counts, corrected for all suspects by
   Holm, which holds however they depend on each other. Odds are Bayes': half of the belief is that no item is to
   blame, the other half is shared evenly by the items that differ; a failure follows from the suspect, and a label is
   wrong with one of `RATES`, each as likely. So one wrong label costs a suspect some belief, and does not acquit it.
3. Ranked by odds. A suspect that goes with a likelier one nearly everywhere is told below that one.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby

from envparity_agent.fingerprint import FingerprintLike
from envparity_server.explain.claims import Claim, Split, claims, listed, preferred

RATES = (0.01, 0.05, 0.1, 0.2, 0.3)  # how often a label may be wrong
SIGNIFICANT = 0.05
ALIKE = 0.9  # correlation over which two suspects are told as one with a neighbour
_LIKELY = 0.5  # belief below which even the first suspect is no answer
_MOST = 100  # suspects that are told
_NOTHING_TO_BLAME = 0.5  # belief that the cause is none of the items, before any label


@dataclass(frozen=True)
class Run:
    """A host at a moment, a CI job or a test: what it ran, and whether it failed; None where nobody said."""

    name: str
    failed: bool | None
    fingerprint: FingerprintLike


@dataclass(frozen=True)
class Support:
    """On how many of the failing and of the passing runs a claim holds, among those of which that is known."""

    fails_with: int
    fails: int
    passes_with: int
    passes: int

    @property
    def words(self) -> str:
        """The counts as a person reads them."""
        return f"on {self.fails_with} of {self.fails} failing and {self.passes_with} of {self.passes} passing"

    @property
    def chance(self) -> float:
        """The probability of at least this much by chance: the one-sided exact test of Fisher."""
        return fisher(self.fails_with, self.fails, self.passes_with, self.passes)


@dataclass(frozen=True)
class Suspect:
    """Claims that split the labelled runs alike, one for each item."""

    claims: Sequence[Claim]
    split: Split
    support: Support
    chance: float  # by Fisher, of this suspect alone
    corrected: float  # the same under all suspects, by Holm
    belief: float  # probability that one of its items is to blame
    nearby: Sequence["Suspect"] = ()  # less likely ones that go with it nearly everywhere

    @property
    def is_significant(self) -> bool:
        """Whether it is more than one would find by chance among so many."""
        return self.corrected <= SIGNIFICANT

    @property
    def words(self) -> str:
        """What separates the runs, and how well."""
        together = ", always together" if len(self.claims) > 1 else ""
        return f"{self.support.words}: {listed([one.words for one in self.claims], 'and')}{together}"


@dataclass(frozen=True)
class Findings:
    """The suspects, the likeliest first, and why that is no answer, if so."""

    failing: int
    passing: int
    suspects: Sequence[Suspect]
    doubt: str
    runs: Sequence[Run] = field(repr=False, default=())  # in the order of the bits of splits: labelled ones first
    splits: Mapping[Claim, Split] = field(repr=False, default_factory=dict)  # of all runs, also those without a label


def separate(runs: Sequence[Run]) -> Findings:
    """Find what separates failing from passing runs; those without a label are only for what to try next."""
    ordered = sorted(
        runs, key=lambda one: (one.failed is None, one.name, one.failed or False, one.fingerprint.taken_at)
    )
    labelled = [one for one in ordered if one.failed is not None]
    fails = sum(bool(one.failed) << place for place, one in enumerate(labelled))
    everyone = (1 << len(labelled)) - 1
    failing = fails.bit_count()
    passing = len(labelled) - failing
    splits = claims([one.fingerprint for one in ordered]) if failing and passing else {}
    found = _ranked(_grouped(splits, everyone), fails, everyone)
    return Findings(
        failing, passing, _folded(found[:_MOST], everyone), _doubt(failing, passing, found), ordered, splits
    )


def _grouped(found: Mapping[Claim, Split], labelled: int) -> dict[Split, list[Claim]]:
    """Claims by how they split the labelled runs; of each item the one that says it best."""
    alike: dict[Split, list[Claim]] = {}
    for claim, split in found.items():
        seen = Split(split.holds & labelled, split.known & labelled)
        if seen.holds not in (0, seen.known):
            alike.setdefault(seen, []).append(claim)
    for members in alike.values():
        members.sort(key=lambda one: one.place)
        members[:] = [preferred(of_item) for _, of_item in groupby(members, key=lambda one: one.place)]
    return alike


def _ranked(grouped: Mapping[Split, Sequence[Claim]], fails: int, labelled: int) -> list[Suspect]:
    supports = {split: _support(split, fails) for split in grouped}
    chances = {split: one.chance for split, one in supports.items()}
    corrected = dict(zip(chances, holm(list(chances.values())), strict=True))
    beliefs = _beliefs(grouped, fails, labelled)
    found = [
        Suspect(members, split, supports[split], chances[split], corrected[split], beliefs[split])
        for split, members in grouped.items()
    ]
    return sorted(found, key=lambda one: (-one.belief, one.chance, _name(one)))


def _name(suspect: Suspect) -> tuple[str, ...]:
    first = suspect.claims[0]
    return first.section, first.item, first.attribute, str(first.relation), str(first.value)


def _support(split: Split, fails: int) -> Support:
    known_fails, known_passes = split.known & fails, split.known & ~fails
    return Support(
        (split.holds & fails).bit_count(),
        known_fails.bit_count(),
        (split.holds & ~fails).bit_count(),
        known_passes.bit_count(),
    )


def _beliefs(grouped: Mapping[Split, Sequence[Claim]], fails: int, labelled: int) -> dict[Split, float]:
    """The probability of each suspect, given the labels; what is missing to 1 is that of no item at all."""
    shares: dict[tuple[str, str], int] = {}  # item -> in how many suspects it is
    for members in grouped.values():
        for claim in members:
            shares[claim.place] = shares.get(claim.place, 0) + 1
    failing, count = fails.bit_count(), labelled.bit_count()
    weights = {}
    for split, members in grouped.items():
        prior = (1 - _NOTHING_TO_BLAME) * sum(1 / shares[claim.place] for claim in members) / len(shares)
        weights[split] = math.log(prior) + _likelihood(split, fails, failing, count)
    nothing = math.log(_NOTHING_TO_BLAME) - math.log(count + 1) - math.log(math.comb(count, failing))
    highest = max(nothing, *weights.values()) if weights else nothing
    total = math.exp(nothing - highest) + math.fsum(math.exp(one - highest) for one in sorted(weights.values()))
    return {split: math.exp(weight - highest) / total for split, weight in weights.items()}


def _likelihood(split: Split, fails: int, failing: int, count: int) -> float:
    """Logarithm of the probability of all labels if a suspect is to blame; where it is unknown, as often as overall."""
    wrong = ((split.holds ^ fails) & split.known).bit_count()
    right = split.known.bit_count() - wrong
    unknown_fails = failing - (fails & split.known).bit_count()
    unknown_passes = count - split.known.bit_count() - unknown_fails
    often = (failing + 1) / (count + 2)
    rest = unknown_fails * math.log(often) + unknown_passes * math.log(1 - often)
    return rest + log_mean([wrong * math.log(rate) + right * math.log(1 - rate) for rate in RATES])


def log_mean(logarithms: Sequence[float]) -> float:
    """The logarithm of the mean of some numbers that are given by theirs."""
    highest = max(logarithms)
    return highest + math.log(math.fsum(math.exp(one - highest) for one in logarithms) / len(logarithms))


def fisher(fails_with: int, fails: int, passes_with: int, passes: int) -> float:
    """The probability that at least so many of the failing runs have it, if failing had nothing to do with it.

    https://en.wikipedia.org/wiki/Fisher%27s_exact_test
    """
    having = fails_with + passes_with
    ways = math.comb(fails, fails_with) * math.comb(passes, passes_with)
    extreme = ways
    for one in range(fails_with, min(fails, having)):  # each number of ways from the one before it, exactly
        ways = ways * (fails - one) * (having - one) // ((one + 1) * (passes - having + one + 1))
        extreme += ways
    return extreme / math.comb(fails + passes, having)


def holm(chances: Sequence[float]) -> list[float]:
    """Each probability corrected for there being so many of them.

    https://en.wikipedia.org/wiki/Holm%E2%80%93Bonferroni_method
    """
    corrected = [0.0] * len(chances)
    highest = 0.0
    for rank, place in enumerate(sorted(range(len(chances)), key=chances.__getitem__)):
        highest = max(highest, min(1.0, (len(chances) - rank) * chances[place]))
        corrected[place] = highest
    return corrected


def _folded(ranked: Sequence[Suspect], labelled: int) -> list[Suspect]:
    """The suspects with those that go with a likelier one nearly everywhere below it."""
    leaders: list[tuple[Suspect, list[Suspect]]] = []
    for one in ranked:
        home = next(
            (near for leader, near in leaders if _correlation(leader.split, one.split, labelled) >= ALIKE), None
        )
        if home is None:
            leaders.append((one, []))
        else:
            home.append(one)
    return [replace(one, nearby=near) for one, near in leaders]


def _correlation(one: Split, other: Split, labelled: int) -> float:
    """Phi of two splits, over the runs of which both are known."""
    known = one.known & other.known & labelled
    count, first, second = known.bit_count(), (one.holds & known).bit_count(), (other.holds & known).bit_count()
    spread = first * (count - first) * second * (count - second)
    both = (one.holds & other.holds & known).bit_count()
    return (count * both - first * second) / math.sqrt(spread) if spread else 0.0


def _doubt(failing: int, passing: int, found: Sequence[Suspect]) -> str:
    """Why the suspects are no answer; empty where they are one."""
    counted = f"{failing} failing run{'s' * (failing != 1)}, {passing} passing"
    if not failing or not passing:
        missing = "failing" if not failing else "passing"
        return f"cannot tell: {counted}; label {missing} runs as well"
    if not found:
        return f"cannot tell: {counted}; all that could be read is the same in every run"
    best = min(1.0, len(found) / math.comb(failing + passing, failing))
    if best > SIGNIFICANT:
        return (
            f"cannot tell: {counted}; among {len(found)} suspects even one that is on every failing and on no passing "
            f"run may be there by chance (probability {best:.2g}): label more runs"
        )
    if not any(one.is_significant for one in found):
        return f"cannot tell: {counted}; no suspect is there more than chance would have it among {len(found)}"
    if found[0].belief < _LIKELY:
        return f"cannot tell: {counted}; the likeliest suspect is so with a probability of {found[0].belief:.2g} only"
    return ""
