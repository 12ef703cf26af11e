"""Asks the gate about two fingerprints, as the command and the server do."""

from collections.abc import Sequence
from typing import Any

from envparity_agent.fingerprint import FingerprintLike
from envparity_server.compare.differences import compare
from envparity_server.compare.model import Severity
from envparity_server.compare.scope import EVERYTHING, Scope
from envparity_server.drift.rules import Rule, applied
from envparity_server.drift.severity import rate
from envparity_server.gating.judging import Question, judge
from envparity_server.gating.model import Report, Standing
from tests.server.making import NOON


def question(
    subject: FingerprintLike,
    reference: FingerprintLike,
    scope: Scope = EVERYTHING,
    *,
    rules: Sequence[Rule] = (),
    **more: Any,
) -> Question:
    """A question about a subject, under some rules."""
    comparison = applied(rate(compare(subject, reference, scope)), rules, (), NOON)
    return Question(subject, reference, comparison, "env:prod", **more)


def gated(
    subject: FingerprintLike,
    reference: FingerprintLike,
    scope: Scope = EVERYTHING,
    threshold: Severity = Severity.LOW,
    **more: Any,
) -> Report:
    """The report of the gate on the subject against the reference."""
    return judge(question(subject, reference, scope, threshold=threshold, **more), NOON)


def standings(report: Report) -> dict[tuple[str, str], Standing]:
    """How each finding stands, by its item and attribute."""
    return {(one.item, one.attribute): one.standing for one in report.findings}
