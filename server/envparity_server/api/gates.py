"""What pipelines ask: the verdict on a fingerprint against a selector, as the server alone may look at its hosts."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from fastapi import APIRouter, Request
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool

from envparity_agent.documents import from_document
from envparity_agent.errors import CannotTell, InvalidDocument
from envparity_agent.fingerprint import Fingerprint, Target
from envparity_server.api.authentication import engine_of, now
from envparity_server.api.bodies import field, read_json
from envparity_server.api.gate_documents import GateQuestion, VerdictAnswer
from envparity_server.api.openapi import documented
from envparity_server.api.origins import address_of
from envparity_server.api.roles import Acting
from envparity_server.compare.differences import compare
from envparity_server.compare.model import Comparison, Severity
from envparity_server.compare.scope import Scope, parse_scope
from envparity_server.compare.selectors import ALL
from envparity_server.drift.rules import Rule, Severities, Subject, applied, hits, of_question
from envparity_server.drift.severity import parse_severity, rate
from envparity_server.gating.judging import Question, judge, without_reference
from envparity_server.gating.model import DECLARING, Report
from envparity_server.references import Reference, resolve
from envparity_server.storage import content, gate_runs, rules
from envparity_server.storage.actors import Actor
from envparity_server.storage.database import reading, writing
from envparity_server.storage.gate_runs import Key, Origin

router = APIRouter(prefix="/api/v1", tags=["gates"])

MAX_DECLARED = 20  # files of one question
MAX_AGE = 10 * 365 * 24 * 3600  # seconds


@router.post("/gates", **documented(VerdictAnswer, GateQuestion))
async def gate(request: Request, actor: Acting) -> dict[str, Any]:
    """Judge a fingerprint against a selector: parity, drift, or unknown; never parity where something was not read."""
    return await run_in_threadpool(_answer, request, actor, _asked(await read_json(request)))


@dataclass(frozen=True)
class _Asked:
    """What a pipeline asks, with the rules and severities of its project."""

    subject: Fingerprint
    against: str
    scope: Scope
    threshold: Severity
    rules: tuple[Rule, ...]
    severities: Severities
    declared: tuple[Fingerprint, ...]
    min_coverage: int
    max_age: timedelta | None
    new_only: bool
    key: Key
    origin: Origin


def _asked(body: dict[str, Any]) -> _Asked:
    own_rules, severities = of_question(body.get("rules", ()), body.get("severity", ()))
    max_age = None if body.get("max_age") is None else timedelta(seconds=_within(body, "max_age", 0, MAX_AGE))
    subject, against = from_document(body.get("fingerprint")), field(body, "against", str)
    only, app = field(body, "only", str, ""), field(body, "app", str, "")
    told = field(body, "origin", dict, {})
    origin = Origin(*(field(told, name, str, "") for name in ("repository", "ref", "commit", "link")))
    scope = f"app={app}" if app else f"only={only}" if only else ""
    return _Asked(
        subject,
        against,
        parse_scope(only, app),
        parse_severity(field(body, "fail_on", str, "low")),
        own_rules,
        severities,
        _declared(body.get("declared", ())),
        _within(body, "min_coverage", 100, 100),
        max_age,
        field(body, "new_only", bool, False),
        Key(origin.repository, against, scope, followed(subject.target)),
        origin,
    )


def followed(target: Target) -> str:
    """What one run has in common with the next: of an image its name, since each build has a tag of its own."""
    if target.kind != "image":
        return f"{target.kind} {target.name}"
    *hosted, name = target.name.partition("@")[0].split("/")
    return f"image {'/'.join((*hosted, name.partition(':')[0]))}"


def _within(body: dict[str, Any], name: str, default: int, most: int) -> int:
    value: int = field(body, name, int, default)
    if not 0 <= value <= most:
        raise InvalidDocument(f"{name} is not from 0 to {most}")
    return value


def _declared(documents: object) -> tuple[Fingerprint, ...]:
    """The files that were declared; raises InvalidDocument for what is none."""
    if not isinstance(documents, list | tuple) or len(documents) > MAX_DECLARED:
        raise InvalidDocument(f"declared is not a list of at most {MAX_DECLARED}")
    found = tuple(from_document(one) for one in documents)
    for number, one in enumerate(found):
        if one.target.kind not in DECLARING:
            told = f"declared[{number}]: a target of kind {one.target.kind[:40]} declares nothing"
            raise InvalidDocument(told, "give a lock, a requirements file, a Dockerfile or a compose file")
    return found


def _answer(request: Request, actor: Actor, asked: _Asked) -> dict[str, Any]:
    """The report under the project's rules, then the server's; it is kept, and what the server's covered is counted."""
    moment = now()
    with reading(engine_of(request)) as connection:
        against = rules.subjects(connection, (asked.against,), moment, actor.environments)
        report, covered = _judged(connection, actor, asked, against, moment)
    seen = tuple(one.environment for one in against if one.environment not in (None, ALL))
    with writing(engine_of(request)) as connection:
        rules.count_hits(connection, covered, moment)
        run = gate_runs.record(connection, asked.key, asked.origin, report, actor.name, seen, moment)
    return {**report.document(), "run": {"id": run, "url": f"{address_of(request)}/gates/{run}"}}


def _judged(
    connection: Connection, actor: Actor, asked: _Asked, against: Sequence[Subject], moment: datetime
) -> tuple[Report, dict[str, int]]:
    """The report, and how many differences each rule of the server covered."""
    try:
        found = resolve(connection, asked.against, moment, actor.environments, asked.scope.application)
    except CannotTell as problem:
        reason = f"{problem} ({problem.advice})" if problem.advice else str(problem)
        return without_reference(asked.subject.target.name, asked.against, asked.threshold, reason), {}
    comparison = _compared(connection, asked, found, against, moment)
    own = {one.id for one in asked.rules}
    covered = {id: count for id, count in hits(comparison).items() if id not in own}
    return judge(_since_accepted(connection, asked, _question(asked, found, comparison)), moment), covered


def _compared(
    connection: Connection, asked: _Asked, found: Reference, against: Sequence[Subject], moment: datetime
) -> Comparison:
    content.open_differing([asked.subject.sections, found.fingerprint.sections], whole=False)
    comparison = rate(compare(asked.subject, found.fingerprint, asked.scope))
    sides = [Subject(asked.subject.target.name), *against]
    return applied(comparison, (*asked.rules, *rules.all_rules(connection)), sides, moment, asked.severities)


def _question(asked: _Asked, found: Reference, comparison: Comparison) -> Question:
    return Question(
        asked.subject,
        found.fingerprint,
        comparison,
        asked.against,
        threshold=asked.threshold,
        declared=asked.declared,
        min_coverage=asked.min_coverage,
        max_age=asked.max_age,
        confirmed_at=found.confirmed_at,
        doubts=found.doubts,
        notes=found.notes,
    )


def _since_accepted(connection: Connection, asked: _Asked, question: Question) -> Question:
    """The question with what the last accepted run had, where only what is new is asked about."""
    if not asked.new_only:
        return question
    found = gate_runs.accepted(connection, asked.key)
    if found is None:
        note = f"no run against {asked.against} was accepted yet: everything counts as new"
        return replace(question, accepted={}, notes=(*question.notes, note))
    name, contents = found
    return replace(question, accepted=contents, accepted_run=name)
