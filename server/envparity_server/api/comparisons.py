"""What readers and pipelines ask: the fingerprint of a selector, a comparison, a verdict."""

from dataclasses import asdict, dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse

from envparity_agent import schema
from envparity_agent.documents import from_document
from envparity_agent.errors import CannotTell, UsageError
from envparity_agent.fingerprint import Fingerprint
from envparity_server.api.authentication import engine_of, now
from envparity_server.api.bodies import field, read_json
from envparity_server.api.compare_documents import (
    ComparisonAnswer,
    FingerprintAnswer,
    GateQuestion,
    JsonSchema,
    VerdictAnswer,
)
from envparity_server.api.openapi import documented
from envparity_server.api.roles import Acting
from envparity_server.compare.differences import compare
from envparity_server.compare.groups import severities, wording
from envparity_server.compare.model import Comparison, Severity
from envparity_server.compare.scope import Scope, parse_scope
from envparity_server.drift.rules import Rule, Severities, Subject, applied, hits, of_question
from envparity_server.drift.severity import rate
from envparity_server.drift.verdict import Outcome, Verdict, judge
from envparity_server.references import compare_selectors, resolve
from envparity_server.storage import rules
from envparity_server.storage.actors import Actor
from envparity_server.storage.content import detached
from envparity_server.storage.database import reading, writing

router = APIRouter(prefix="/api/v1", tags=["compare"])

SelectorText = Annotated[str, Query(max_length=1024)]


@router.get("/schemas/fingerprint", **documented(JsonSchema))
def fingerprint_schema() -> dict[str, Any]:
    """The JSON Schema of a fingerprint document."""
    return schema.fingerprint()


@router.get("/fingerprints", **documented(FingerprintAnswer))
def fingerprint_of(request: Request, of: SelectorText, actor: Acting) -> dict[str, Any]:
    """The fingerprint that a selector stands for: a host's, or the majority of an environment's fresh hosts."""
    with reading(engine_of(request)) as connection:
        found = resolve(connection, of, now(), actor.environments)
        one = found.fingerprint
        whole = detached(one.target, one.taken_at, one.sections)
        (subject,) = rules.subjects(connection, (of,), now(), actor.environments)
    return {"fingerprint": whole.document(), "notes": found.notes, "subject": asdict(subject)}


@router.get("/compare", **documented(ComparisonAnswer))
def compare_two(
    request: Request, left: SelectorText, right: SelectorText, actor: Acting, only: str = "", app: str = ""
) -> JSONResponse:
    """Compare two selectors at any moments: the differences, and what was not examined."""
    with reading(engine_of(request)) as connection:
        scope = parse_scope(only, app)
        comparison, notes = compare_selectors(connection, left, right, now(), scope, actor.environments)
        # as it is: FastAPI would look for what is no JSON in thousands of differences
        return JSONResponse({**comparison.document(), "notes": notes})


@router.post("/gates", **documented(VerdictAnswer, GateQuestion))
async def gate(request: Request, actor: Acting) -> dict[str, Any]:
    """Judge a fingerprint against a selector: parity, drift, or unknown; never parity where something was not read."""
    return await run_in_threadpool(_judge, request, actor, _question(await read_json(request)))


@dataclass(frozen=True)
class _Question:
    """What a pipeline asks, with the rules and severities of its project."""

    subject: Fingerprint
    against: str
    scope: Scope
    threshold: Severity
    rules: tuple[Rule, ...]
    severities: Severities


def _question(body: dict[str, Any]) -> _Question:
    own_rules, severities = of_question(body.get("rules", ()), body.get("severity", ()))
    return _Question(
        from_document(body.get("fingerprint")),
        field(body, "against", str),
        parse_scope(field(body, "only", str, ""), field(body, "app", str, "")),
        parse_severity(field(body, "fail_on", str, "low")),
        own_rules,
        severities,
    )


def parse_severity(word: str) -> Severity:
    """A severity by its word; raises UsageError."""
    try:
        return Severity[word.upper()]
    except KeyError:
        raise UsageError(
            f"{word[:40]} is no severity", f"severities: {', '.join(one.word for one in Severity)}"
        ) from None


def _judge(request: Request, actor: Actor, question: _Question) -> dict[str, Any]:
    """The verdict under the project's rules, then the server's; what the server's covered is counted as their hits."""
    moment = now()
    with reading(engine_of(request)) as connection:
        try:
            found = resolve(connection, question.against, moment, actor.environments)
        except CannotTell as problem:
            reason = f"{problem} ({problem.advice})" if problem.advice else str(problem)
            unknown = Verdict(Outcome.UNKNOWN, question.threshold, (reason,), ())
            return {**unknown.document(), "summary": "no reference"}
        comparison = rate(compare(question.subject, found.fingerprint, question.scope))
        stored = rules.all_rules(connection)
        against = rules.subjects(connection, (question.against,), moment, actor.environments)
        sides = [Subject(question.subject.target.name), *against]
    comparison = applied(comparison, (*question.rules, *stored), sides, moment, question.severities)
    own = {one.id for one in question.rules}
    counted = {id: count for id, count in hits(comparison).items() if id not in own}
    if counted:
        with writing(engine_of(request)) as connection:
            rules.count_hits(connection, counted, moment)
    verdict = judge(comparison, question.threshold, found.doubts)
    document = verdict.document()
    for shown, difference in zip(document["differences"], verdict.differences, strict=True):
        shown["words"] = wording(difference)
    summary = _summary(verdict, comparison, question.against)
    return {**document, "summary": summary, "notes": found.notes, "remarks": comparison.remarks}


def _summary(verdict: Verdict, comparison: Comparison, against: str) -> str:
    counted = f"; {verdict.ignored} expected" if verdict.ignored else ""
    if verdict.outcome == Outcome.DRIFT:
        return f"{severities(verdict.differences)} against {against}{counted}"
    same = f"{comparison.same} items the same as {against}"
    return (
        f"{same}, none differs unexpectedly at {verdict.threshold.word} or over{counted}"
        if counted
        else (f"{same}, none differs at {verdict.threshold.word} or over")
    )
