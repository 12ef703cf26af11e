"""What readers and pipelines ask: hosts, the fingerprint of a selector, a comparison, a verdict."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.concurrency import run_in_threadpool

from envparity_agent import schema
from envparity_agent.documents import from_document
from envparity_agent.errors import CannotTell, UsageError
from envparity_agent.fingerprint import Fingerprint
from envparity_server.api.authentication import engine_of, now
from envparity_server.api.bodies import field, read_json
from envparity_server.compare.differences import compare
from envparity_server.compare.groups import severities, wording
from envparity_server.compare.model import Comparison, Severity
from envparity_server.compare.scope import Scope, parse_scope
from envparity_server.drift.severity import rate
from envparity_server.drift.verdict import Outcome, Verdict, judge
from envparity_server.references import compare_selectors, resolve
from envparity_server.storage import hosts
from envparity_server.storage.content import detached
from envparity_server.storage.database import reading

router = APIRouter(prefix="/api/v1", tags=["compare"])

SelectorText = Annotated[str, Query(max_length=1024)]


@router.get("/schemas/fingerprint")
def fingerprint_schema() -> dict[str, Any]:
    """The JSON Schema of a fingerprint document."""
    return schema.fingerprint()


@router.get("/hosts")
def list_hosts(request: Request) -> list[dict[str, Any]]:
    """Every host with its last report."""
    moment = now()
    with reading(engine_of(request)) as connection:
        return [
            {
                "id": one.id,
                "name": one.name,
                "environment": one.environment,
                "labels": one.labels,
                "state": one.state(moment),
                "root": f"sha256:{one.root}" if one.root else None,
                "seen_at": one.seen_at.isoformat() if one.seen_at else None,
                "agent": one.agent,
            }
            for one in hosts.all_hosts(connection)
        ]


@router.get("/fingerprints")
def fingerprint_of(request: Request, of: SelectorText) -> dict[str, Any]:
    """The fingerprint that a selector stands for: a host's, or the majority of an environment's fresh hosts."""
    with reading(engine_of(request)) as connection:
        found = resolve(connection, of, now())
        one = found.fingerprint
        whole = detached(one.target, one.taken_at, one.sections)
    return {"fingerprint": whole.document(), "notes": found.notes}


@router.get("/compare")
def compare_two(
    request: Request, left: SelectorText, right: SelectorText, only: str = "", app: str = ""
) -> dict[str, Any]:
    """Compare two selectors at any moments: the differences, and what was not examined."""
    with reading(engine_of(request)) as connection:
        comparison, notes = compare_selectors(connection, left, right, now(), parse_scope(only, app))
        return {**comparison.document(), "notes": notes}


@router.post("/gates")
async def gate(request: Request) -> dict[str, Any]:
    """Judge a fingerprint against a selector: parity, drift, or unknown; never parity where something was not read."""
    body = await read_json(request)
    subject = from_document(body.get("fingerprint"))
    against = field(body, "against", str)
    scope = parse_scope(field(body, "only", str, ""), field(body, "app", str, ""))
    threshold = parse_severity(field(body, "fail_on", str, "low"))
    return await run_in_threadpool(_judge, request, subject, against, scope, threshold)


def parse_severity(word: str) -> Severity:
    """A severity by its word; raises UsageError."""
    try:
        return Severity[word.upper()]
    except KeyError:
        raise UsageError(
            f"{word[:40]} is no severity", f"severities: {', '.join(one.word for one in Severity)}"
        ) from None


def _judge(request: Request, subject: Fingerprint, against: str, scope: Scope, threshold: Severity) -> dict[str, Any]:
    with reading(engine_of(request)) as connection:
        try:
            found = resolve(connection, against, now())
        except CannotTell as problem:
            reason = f"{problem} ({problem.advice})" if problem.advice else str(problem)
            return {**Verdict(Outcome.UNKNOWN, threshold, (reason,), ()).document(), "summary": "no reference"}
        comparison = rate(compare(subject, found.fingerprint, scope))
    verdict = judge(comparison, threshold, found.doubts)
    document = verdict.document()
    for shown, difference in zip(document["differences"], verdict.differences, strict=True):
        shown["words"] = wording(difference)
    return {**document, "summary": _summary(verdict, comparison, against), "notes": found.notes}


def _summary(verdict: Verdict, comparison: Comparison, against: str) -> str:
    if verdict.outcome == Outcome.DRIFT:
        return f"{severities(verdict.differences)} against {against}"
    return f"{comparison.same} items the same as {against}, none differs at {verdict.threshold.word} or over"
