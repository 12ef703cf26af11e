"""Gathers what could not be compared, and why, by section: a gap is no parity."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from envparity_server.compare.model import UNKNOWN_STATES, Comparison, Difference


@dataclass
class Gap:
    """A section that could not be compared, or some of its items."""

    section: str
    why: list[str] = field(default_factory=list)
    items: list[Difference] = field(default_factory=list)


def gaps(comparison: Comparison) -> Sequence[Gap]:
    """The gaps in the order of the comparison; what the left target cannot have, as nobody asked about it, is none."""
    found: dict[str, Gap] = {}
    for reason in comparison.unexamined:
        if not reason.beyond:
            found.setdefault(reason.section, Gap(reason.section)).why.append(reason.why)
    for one in comparison.differences:
        if one.state in UNKNOWN_STATES:
            gap = found.setdefault(one.section, Gap(one.section))
            if one.item or not gap.why:  # else the reason says it already
                gap.items.append(one)
    return tuple(found.values())
