"""A comparison in the form that every format is written from: the report of the verb `diff`."""

from dataclasses import replace

from envparity_server.compare.groups import expected, severities, wording
from envparity_server.compare.model import UNKNOWN_STATES, Comparison, Difference, Severity, State
from envparity_server.gating.model import Finding, Report, Standing

_ORDER = (Standing.FAILS, Standing.UNKNOWN, Standing.EXPECTED)


def report_of(comparison: Comparison) -> Report:
    """What a comparison found; nobody asked for a verdict, so every difference that no rule expects counts."""
    findings = sorted(
        map(_finding, sorted(comparison.differences, key=lambda one: -one.severity)),
        key=lambda one: _ORDER.index(one.standing),
    )
    return Report(
        verb="diff",
        subject=comparison.left.name,
        reference=comparison.right.name,
        verdict=None,
        threshold=Severity.INFO.word,
        summary=summary(comparison),
        findings=tuple(findings),
        reasons=tuple(f"{one.section}: {one.why}" if one.section else one.why for one in comparison.unexamined),
        rules=tuple((one.rule, one.reason, one.count) for one in expected(comparison.differences)),
        paired=tuple((one.left, one.right, one.why) for one in comparison.pairs),
        remarks=comparison.remarks,
    )


def summary(comparison: Comparison) -> str:
    """What differs, in one line: `1 high, 1 medium, 2 unknown: this is not parity; 3 expected; 40 items the same`."""
    unknown = sum(one.state in UNKNOWN_STATES for one in comparison.differences)
    covered = sum(one.count for one in expected(comparison.differences))
    told = severities(comparison.differences) or ("nothing unexpected" if covered else "no difference")
    gaps = f", {unknown} unknown: this is not parity" if unknown else ""
    counted = f"; {covered} expected" if covered else ""
    return f"{told}{gaps}{counted}; {comparison.same} items the same"


def _finding(one: Difference) -> Finding:
    return Finding(
        id=one.id,
        content=one.content,
        section=one.section,
        item=one.item,
        attribute=one.attribute,
        state=str(one.found or one.state),
        left=one.left,
        right=one.right,
        severity=one.severity.word,
        distance=str(one.distance or ""),
        words=wording(replace(one, origin="")),
        standing=_standing(one.state),
        why=one.reason,
        origin=f"({one.origin})" if one.origin else "",
    )


def _standing(state: State) -> Standing:
    if state == State.EXPECTED:
        return Standing.EXPECTED
    return Standing.UNKNOWN if state in UNKNOWN_STATES else Standing.FAILS
