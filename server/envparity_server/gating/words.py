"""How a gate says it: a difference from the reference to the subject, and the answer in one line."""

from collections.abc import Sequence
from dataclasses import replace

from envparity_server.compare.groups import Sides, severities, wording
from envparity_server.compare.model import Difference, State, Unexamined
from envparity_server.gating.model import Finding, Standing, Verdict

_MIRRORED = {State.ONLY_LEFT: State.ONLY_RIGHT, State.ONLY_RIGHT: State.ONLY_LEFT}


def mirrored(difference: Difference, section: str = "") -> Difference:
    """The same difference with the subject on the right, in a section of the reference if one is given."""
    return replace(
        difference,
        section=section or difference.section,
        state=_MIRRORED.get(difference.state, difference.state),
        found=_MIRRORED.get(difference.found, difference.found) if difference.found else None,
        left=difference.right,
        right=difference.left,
    )


def in_words(difference: Difference, against: str) -> str:
    """The difference as it came to be: `3.0.15 → 3.0.11`, `only here: 3.7`, `only in env:prod`."""
    sides = Sides(left=against, right="the side here", only_left=f"only in {against}", only_right="only here")
    return wording(replace(mirrored(difference), origin=""), sides)


def origin_in_words(difference: Difference, against: str) -> str:
    """How it came, as the comparison tells it, with the sides called as a gate calls them."""
    return difference.origin.replace("the left container", "the container here").replace(
        "the right container", f"the container of {against}"
    )


def unread(one: Unexamined, against: str) -> str:
    """A section that was not examined, and why: `containers: here: failed(unreachable)`."""
    return f"{one.section}: {_sides(one.why, against)}" if one.section else _sides(one.why, against)


def _sides(why: str, against: str) -> str:
    told = why.replace(" and right: ", f" and {against}: ")
    for word, side in (("left: ", "here: "), ("right: ", f"{against}: ")):
        if told.startswith(word):
            return f"{side}{told.removeprefix(word)}"
    return told


def untold(difference: Difference) -> str:
    """That an item, or a section, could not be compared: `python/shop: idna is unknown`."""
    place = f"{difference.section}: {difference.item}" if difference.item else difference.section
    return f"{place} is {difference.state}"


def summary(
    verdict: Verdict,
    findings: Sequence[Finding],
    failing: Sequence[Difference],
    reasons: Sequence[str],
    *,
    same: int,
    against: str,
    threshold: str,
    has_declarations: bool,
) -> str:
    """The answer in one line.

    `4 declared, 1 undeclared: libssl3 3.0.15 → 3.0.11 via base image debian:bookworm (digest moved)`, or
    `412 items the same as env:prod, none differs at low or over; 3 expected`.
    """
    if verdict == Verdict.UNKNOWN:
        more = f" (and {len(reasons) - 1} more)" if len(reasons) > 1 else ""
        return f"cannot tell: {reasons[0]}{more}"
    if verdict == Verdict.PARITY:
        counted = _counted(findings, Standing.EXPECTED, Standing.DECLARED, Standing.KNOWN)
        return f"{same} items the same as {against}, none differs at {threshold} or over" + (counted and f"; {counted}")
    first = next(one for one in findings if one.standing == Standing.FAILS)
    told = f"{first.item or first.section} {first.told}"
    more = f" and {len(failing) - 1} more" if len(failing) > 1 else ""
    if has_declarations:
        counted = _counted(findings, Standing.EXPECTED, Standing.KNOWN)
        head = f"{_count(findings, Standing.DECLARED)} declared, {len(failing)} undeclared"
    else:
        counted = _counted(findings, Standing.EXPECTED, Standing.DECLARED, Standing.KNOWN)
        head = f"{severities(failing)} against {against}"
    return f"{head}: {told}{more}" + (counted and f"; {counted}")


def _counted(findings: Sequence[Finding], *kinds: Standing) -> str:
    """How many are accounted for: `3 expected, 2 known`."""
    counts = ((_count(findings, kind), kind) for kind in kinds)
    return ", ".join(f"{count} {kind}" for count, kind in counts if count)


def _count(findings: Sequence[Finding], kind: Standing) -> int:
    return sum(one.standing == kind for one in findings)
