"""Which further distributions have to go back as well, so that going back with one breaks no requirement.

Each goes to what it is on the good side, or stays. What is lacking then was either asked for by one that went back,
and what it asks for has to follow; or by one that stayed, and that one has to. There is no choice in it, so what is
found is the smallest set.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from envparity_server.compare.markers import Known
from envparity_server.compare.versions import equal
from envparity_server.explain.undo.needs import Installed, Lack, lacks

Distributions = Mapping[str, Installed]


@dataclass(frozen=True)
class Plan:
    """What goes to what it is on the good side, each with the requirement that makes it follow; None: it was asked for.

    `broken` are the requirements that would be fulfilled no more, and that nothing of the good side helps.
    """

    moved: Mapping[str, Lack | None]
    broken: tuple[Lack, ...]
    after: Distributions


def plan(good: Distributions, bad: Distributions, asked: Iterable[str], known: Known) -> Plan:
    """Take these back to what they are on the good side, and whatever has to follow.

    What is lacking on the bad side already does not count, nor what is lacking on the good side, which works; but
    nothing is taken away that something asks for.
    """
    moved: dict[str, Lack | None] = dict.fromkeys(sorted(asked))
    before = {_key(one) for one in lacks(bad, known)}
    accepted = {_key(one) for one in lacks(good, known) if one.name in good or one.name not in bad}
    while True:
        after = {name: one for name in {**bad, **moved} if (one := (good if name in moved else bad).get(name))}
        new = sorted(lack for lack in lacks(after, known) if _key(lack) not in before | accepted)
        follows: dict[str, Lack] = {}
        for lack in new:
            follower = lack.name if lack.owner in moved else lack.owner
            if follower not in moved and _differs(good.get(follower), bad.get(follower)):
                follows.setdefault(follower, lack)
        if not follows:
            return Plan(moved, tuple(new), after)
        moved |= follows


def _differs(good: Installed | None, bad: Installed | None) -> bool:
    """Whether going back changes anything; to nothing goes only what was asked to."""
    return good is not None and (bad is None or not equal(good.version, bad.version))


def _key(one: Lack) -> tuple[str, str, str]:
    return one.owner, one.name, one.wanted
