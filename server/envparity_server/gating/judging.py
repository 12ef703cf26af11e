"""Judges a comparison as a gate does: each difference stands somehow, and the verdict follows from how they stand."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from envparity_agent.fingerprint import Fingerprint, FingerprintLike
from envparity_server.compare.model import Comparison, Severity
from envparity_server.gating.model import Report


@dataclass(frozen=True)
class Question:
    """What is judged, by what, and how strictly."""

    subject: FingerprintLike
    reference: FingerprintLike
    comparison: Comparison  # subject left, reference right; rated, and under the rules
    against: str  # how the person called the reference: env:prod, prod.json
    threshold: Severity = Severity.LOW
    declared: tuple[Fingerprint, ...] = ()  # locks, requirements, Dockerfiles, compose files
    accepted: Mapping[str, str] | None = (
        None  # id of a finding -> its content in the last accepted run; None: not asked
    )
    accepted_run: str = ""  # how that run is called
    min_coverage: int = 100  # percent of the items in scope that have to be compared
    max_age: timedelta | None = None  # of the reference
    doubts: tuple[str, ...] = ()  # why the reference may not be relied on: a stale host, a version nobody approved
    notes: tuple[str, ...] = ()


def judge(question: Question, now: datetime) -> Report:
    """The report: drift wins; otherwise whatever could not be told is unknown; otherwise there is parity."""
    raise NotImplementedError
