"""What other tools are told of a report: what fails, what is unknown, and that a verdict could not be told."""

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256

from envparity_agent.kinds import title
from envparity_agent.terminal import printable
from envparity_server.gating.model import Finding, Place, Report, Standing, Verdict

UNKNOWN = "unknown"  # the severity of what could not be compared
CANNOT_TELL = "cannot-tell"  # the check, and the severity, of a verdict that could not be told
LONGEST = 2000  # characters of one text: what is longer was made to be


@dataclass(frozen=True)
class Entry:
    """One line of a list of problems; every text is plain."""

    id: str
    check: str  # `python`, `os-packages`: what kind of thing it is about
    title: str  # of the check
    severity: str  # a severity, UNKNOWN, or CANNOT_TELL
    message: str
    where: str  # the section and the item
    place: Place | None


def entries(report: Report) -> Iterator[Entry]:
    """What fails and what is unknown; a verdict that could not be told is an entry too, so that no list is empty."""
    if report.verdict == Verdict.UNKNOWN:
        yield _cannot_tell(report)
    for one in report.standing(Standing.FAILS, Standing.UNKNOWN):
        check = plain(one.section.partition("/")[0], 100)
        severity = UNKNOWN if one.standing == Standing.UNKNOWN else one.severity
        yield Entry(plain(one.id), check, title(check), severity, message(one), where(one), one.place)


def _cannot_tell(report: Report) -> Entry:
    why = "; ".join(report.reasons)
    id = sha256(f"{CANNOT_TELL}\0{report.reference}".encode(errors="backslashreplace")).hexdigest()[:16]
    told = plain(f"{report.summary}: {why}" if why else report.summary)
    return Entry(id, CANNOT_TELL, "The gate cannot tell", CANNOT_TELL, told, plain(report.reference), None)


def message(finding: Finding) -> str:
    """A finding in one line, with where it is: `os-packages: libssl3 3.0.15 → 3.0.11 via base image debian`."""
    return plain(f"{finding.section}: {finding.headline}")


def where(finding: Finding) -> str:
    """The section and the item that a finding is about."""
    return plain(" ".join(filter(None, (finding.section, finding.item))))


def plain(text: str, longest: int = LONGEST) -> str:
    """Foreign text as one line of visible characters, no longer than anybody reads."""
    told = printable(text[:longest])
    return told if len(text) <= longest and len(told) <= longest else f"{told[:longest]}…"


def path(place: Place | None, otherwise: str) -> str:
    """The file of a place as tools compare paths: plain, and without `./`."""
    return plain(posixpath.normpath((place.file if place else "") or otherwise))


def line(place: Place | None) -> int:
    """The line of a place; the first one where no file says it."""
    return max(place.line, 1) if place else 1
