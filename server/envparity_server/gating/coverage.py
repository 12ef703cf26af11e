"""Counts how much of what is in scope could be compared; of what could not, each section counts as one at least."""

from collections.abc import Iterable

from envparity_agent.fingerprint import FingerprintLike, Status
from envparity_server.compare.model import Comparison, Difference
from envparity_server.gating.model import Coverage
from envparity_server.gating.places import counterparts


def coverage(
    subject: FingerprintLike, reference: FingerprintLike, comparison: Comparison, unknown: Iterable[Difference]
) -> Coverage:
    """The items that are the same, differ, or are expected, of all; `unknown` are the differences that cannot be told.

    An item of which anything is unknown is not compared; of a section that was not examined no item is.
    """
    gaps = {(one.section, one.item) for one in unknown}
    gaps |= {(one.section, "") for one in comparison.unexamined if not one.beyond}
    known = {(one.section, one.item) for one in comparison.differences} - gaps
    compared = max(comparison.same, 0) + len(known)
    paths = counterparts(comparison)
    lost = sum(
        1 if item else _items(subject, reference, section, paths.get(section, section)) for section, item in gaps
    )
    return Coverage(compared, compared + lost)


def _items(subject: FingerprintLike, reference: FingerprintLike, path: str, counterpart: str) -> int:
    """How many items of a section are not known; of one that was read in part, those count that are told singly."""
    ours, theirs = subject.sections.get(path), reference.sections.get(counterpart)
    partly = ours and theirs and not {ours.status, theirs.status} & {Status.FAILED, Status.ABSENT}
    return 1 if partly else max(1, *(side.count for side in (ours, theirs) if side), 1)
