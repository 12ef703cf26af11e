"""Judges a comparison as a gate does: each difference stands somehow, and the verdict follows from how they stand."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from envparity_agent.fingerprint import Fingerprint, FingerprintLike
from envparity_server.compare.groups import expected
from envparity_server.compare.model import UNKNOWN_STATES, Comparison, Difference, Severity, State
from envparity_server.gating.causing import causes
from envparity_server.gating.coverage import coverage
from envparity_server.gating.declaring import Declarations
from envparity_server.gating.model import Coverage, Finding, Report, Standing, Verdict
from envparity_server.gating.origins import Origins
from envparity_server.gating.places import counterparts
from envparity_server.gating.words import in_words, origin_in_words, summary, unread, untold

_CLOCKS = timedelta(minutes=5)  # two clocks may be this far apart
_ORDER = (Standing.FAILS, Standing.UNKNOWN, Standing.DECLARED, Standing.EXPECTED, Standing.KNOWN, Standing.BELOW)


@dataclass(frozen=True)
class Question:
    """What is judged, by what, and how strictly."""

    subject: FingerprintLike
    reference: FingerprintLike
    comparison: Comparison  # subject left, reference right; rated, and under the rules
    against: str  # how the person called the reference: env:prod, prod.json
    threshold: Severity = Severity.LOW
    declared: tuple[Fingerprint, ...] = ()  # locks, requirements, Dockerfiles, compose files
    accepted: Mapping[str, str] | None = None  # id -> content in the last accepted run; None: not asked
    accepted_run: str = ""  # how that run is called
    min_coverage: int = 100  # percent of the items in scope that have to be compared
    max_age: timedelta | None = None  # of the reference
    confirmed_at: datetime | None = None  # when somebody last told the reference; None: when it says it was taken
    doubts: tuple[str, ...] = ()  # why the reference may not be relied on: a stale host, a version nobody approved
    notes: tuple[str, ...] = ()


def judge(question: Question, now: datetime) -> Report:
    """The report: drift wins; otherwise whatever could not be told is unknown; otherwise there is parity."""
    comparison = question.comparison
    judged = _Judged(question)
    findings = sorted(((judged.finding(one), one) for one in comparison.differences), key=lambda pair: _place(*pair))
    told = tuple(finding for finding, _ in findings)
    failing = tuple(one for finding, one in findings if finding.standing == Standing.FAILS)
    unknown = [one for finding, one in findings if finding.standing == Standing.UNKNOWN]
    covered = coverage(question.subject, question.reference, comparison, unknown)
    doubts = tuple(_doubts(question, covered, now))
    gaps = tuple(_gaps(question, covered, unknown))
    reasons = (*doubts, *gaps)
    lacking = covered.compared * 100 < question.min_coverage * covered.total
    verdict = Verdict.DRIFT if failing else Verdict.UNKNOWN if doubts or lacking else Verdict.PARITY
    return Report(
        verb="gate",
        subject=comparison.left.name,
        reference=question.against,
        verdict=verdict,
        threshold=question.threshold.word,
        summary=summary(
            verdict, told, failing, reasons, same=comparison.same, against=question.against,
            threshold=question.threshold.word, has_declarations=bool(question.declared),
        ),
        findings=told,
        reasons=reasons,
        coverage=covered,
        causes=causes(question.subject, question.reference, comparison, failing),
        rules=tuple((one.rule, one.reason, one.count) for one in expected(judged.expected(findings))),
        paired=tuple((one.left, one.right, one.why) for one in comparison.pairs),
        notes=tuple(one for one in question.notes if one not in doubts),
        remarks=comparison.remarks,
        doubts=doubts,
    )  # fmt: skip


def without_reference(subject: str, against: str, threshold: Severity, why: str) -> Report:
    """The report where there is nothing to hold the subject against: it cannot be told."""
    return Report(
        "gate", subject, against, Verdict.UNKNOWN, threshold.word, f"no reference: {why}", (), (why,), doubts=(why,)
    )


class _Judged:
    """How each difference of one question stands."""

    def __init__(self, question: Question) -> None:
        comparison = question.comparison
        self._question = question
        self._unsure = {pair.left: pair.right for pair in comparison.pairs if not pair.sure}
        self._origins = Origins(question.subject, question.reference, counterparts(comparison), question.declared)
        self._declarations = Declarations(
            question.subject, question.reference, comparison, self._origins, question.declared
        )

    def finding(self, difference: Difference) -> Finding:
        """One difference as the gate tells it."""
        standing, why = self._standing(difference)
        told = origin_in_words(difference, self._question.against)
        return Finding(
            id=difference.id,
            content=difference.content,
            section=difference.section,
            item=difference.item,
            attribute=difference.attribute,
            state=str(difference.state),
            left=difference.left,
            right=difference.right,
            severity=difference.severity.word,
            distance=str(difference.distance or ""),
            words=in_words(difference, self._question.against),
            standing=standing,
            why=why,
            origin=", ".join(filter(None, (told, self._origins.of(difference)))),
        )

    def _standing(self, difference: Difference) -> tuple[Standing, str]:
        """The first that applies, and why."""
        if difference.state in UNKNOWN_STATES:
            return Standing.UNKNOWN, ""
        if difference.section in self._unsure:
            return Standing.UNKNOWN, f"it is not sure that {self._unsure[difference.section]} is the same one"
        if difference.state == State.EXPECTED:
            return Standing.EXPECTED, difference.reason
        declared = self._declarations.of(difference)
        if declared:
            return Standing.DECLARED, declared
        accepted = self._question.accepted
        if accepted is not None and accepted.get(difference.id) == difference.content:
            return Standing.KNOWN, self._question.accepted_run
        return (Standing.FAILS if difference.severity >= self._question.threshold else Standing.BELOW), ""

    @staticmethod
    def expected(findings: Sequence[tuple[Finding, Difference]]) -> list[Difference]:
        """The differences that a rule expects."""
        return [one for finding, one in findings if finding.standing == Standing.EXPECTED]


def _place(finding: Finding, difference: Difference) -> tuple[int, int, str, str, str]:
    """Those that fail first, each standing by severity, then by place."""
    standing = _ORDER.index(finding.standing)
    return standing, -difference.severity, difference.section, difference.item, difference.attribute


def _doubts(question: Question, covered: Coverage, now: datetime) -> Iterator[str]:
    """Why it cannot be told, however much could be compared."""
    yield from question.doubts
    yield from _age(question, now)
    for pair in question.comparison.pairs:
        if not pair.sure:
            yield f"{pair.left} was held against {pair.right}: {pair.why}; name the right one with #{pair.right}"
    if not covered.compared or not question.comparison.examined:
        yield "nothing in scope could be compared"


def _age(question: Question, now: datetime) -> Iterator[str]:
    """That the reference is older than it may be, or that its age is not known."""
    if question.max_age is None:
        return
    try:
        taken = question.confirmed_at or datetime.fromisoformat(question.reference.taken_at)
        age = now - (taken if taken.tzinfo else taken.replace(tzinfo=UTC))
    except (OverflowError, ValueError):
        yield f"{question.against}: when it was taken is not known, and at most {question.max_age} old is asked for"
        return
    shown = f"{question.against} is of {taken:%Y-%m-%d %H:%M} UTC"
    if age < -_CLOCKS:
        yield f"{shown}, which is to come: its clock is wrong, and its age not known"
    elif age > question.max_age:
        yield f"{shown}: older than {question.max_age}"


def _gaps(question: Question, covered: Coverage, unknown: Sequence[Difference]) -> Iterator[str]:
    """What was not examined, or could not be compared."""
    if question.min_coverage < 100 and covered.compared * 100 < question.min_coverage * covered.total:
        yield (f"{covered.compared} of {covered.total} items could be compared, {covered.percent} %: "
               f"under {question.min_coverage} %")  # fmt: skip
    unexamined = [one for one in question.comparison.unexamined if not one.beyond]
    yield from (unread(one, question.against) for one in unexamined)
    said = {one.section for one in unexamined}
    yield from (untold(one) for one in unknown if one.state in UNKNOWN_STATES and one.section not in said)
