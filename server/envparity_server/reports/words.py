"""How a report is said: the same words for the terminal, for comments and for pages."""

from collections import Counter

from envparity_server.gating.model import Finding, Report, Standing, Suspected, Verdict

EXIT_CODES = {Verdict.PARITY: 0, Verdict.DRIFT: 1, Verdict.UNKNOWN: 3}

_ACCOUNTED = {  # how differences that do not fail are counted, and how one is told by itself
    Standing.DECLARED: "declared",
    Standing.EXPECTED: "expected",
    Standing.KNOWN: "known",
    Standing.BELOW: "below the threshold",
}

_WHY = {
    Standing.DECLARED: "declared",
    Standing.EXPECTED: "expected by a rule",
    Standing.KNOWN: "known from the last accepted run",
    Standing.BELOW: "below the threshold",
}
_MOST_SOURCES = 3


def accounted(report: Report) -> list[str]:
    """What differs and does not fail, by how it stands: `4 declared (uv.lock)`, `3 below the threshold`."""
    told = []
    for standing, word in _ACCOUNTED.items():
        found = report.standing(standing)
        sources = Counter(one.why for one in found if one.why)
        named = ", ".join(source for source, _ in sources.most_common(_MOST_SOURCES))
        if found:
            told.append(f"{len(found)} {word}" + (f" ({named})" if named else ""))
    return told


def standing_of(finding: Finding) -> str:
    """Why a finding does not fail: `declared: uv.lock`, `below the threshold`."""
    return f"{_WHY[finding.standing]}: {finding.why}" if finding.why else _WHY[finding.standing]


def title_of(report: Report) -> str:
    """What was held against what."""
    return f"{report.subject} against {report.reference}"


def suspect_of(cause: Suspected) -> str:
    """What may be to blame: `libssl3 in os-packages`."""
    return f"{cause.item or 'the whole section'} in {cause.section}"


def place_of(finding: Finding) -> str:
    """Where a file says it: `uv.lock:12`."""
    return f"{finding.place.file}:{finding.place.line}" if finding.place else ""


def untold(report: Report) -> list[str]:
    """What could not be told: the reasons, and each finding that is unknown and that no reason names."""
    said = "\n".join(report.reasons)
    unknown = [f"{one.section}: {one.item}" if one.item else one.section for one in report.standing(Standing.UNKNOWN)]
    return [*report.reasons, *(f"{place} is unknown" for place in unknown if place not in said)]
