"""Judges a gate on this machine, without any server: as the server does, by the same words."""

from collections.abc import Mapping
from datetime import UTC, datetime

from envparity_agent.collectors.interface import Options
from envparity_agent.fingerprint import Fingerprint
from envparity_agent.targets import fingerprint
from envparity_server.cli.declarations import Asked, Files
from envparity_server.cli.sides import keyed
from envparity_server.compare.differences import compare
from envparity_server.compare.scope import parse_scope
from envparity_server.drift.rules import Subject, applied, of_project
from envparity_server.drift.severity import rate
from envparity_server.gating.judging import Question, judge
from envparity_server.gating.model import Report


def judged(asked: Asked, how: Options, accepted: Mapping[str, str] | None, accepted_run: str) -> tuple[Report, Files]:
    """The report, and the files that may say what it found; raises UsageError or CannotTell for a side."""
    how = keyed(how, (asked.target, asked.against))
    found, meant = asked.read(how)
    reference = fingerprint(asked.against, how)
    now = datetime.now(UTC)
    rules, severities = of_project(asked.project)
    comparison = rate(compare(found, reference, parse_scope(asked.only, asked.app)))
    comparison = applied(comparison, rules, (_subject(found), _subject(reference)), now, severities)
    question = Question(
        found,
        reference,
        comparison,
        asked.against,
        threshold=asked.strict.threshold,
        declared=meant,
        accepted=accepted,
        accepted_run=accepted_run,
        min_coverage=asked.strict.min_coverage,
        max_age=asked.strict.max_age,
    )
    files = (*zip(asked.declared, meant, strict=True), (asked.target, found), (asked.against, reference))
    return judge(question, now), files


def _subject(found: Fingerprint) -> Subject:
    return Subject(found.target.name)
