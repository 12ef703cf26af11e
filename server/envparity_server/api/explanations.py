"""Which difference is to blame: the likely causes between two selectors at any moments, with a traceback or without."""

from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Request
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool

from envparity_agent.errors import InvalidDocument
from envparity_server.api.authentication import engine_of, now
from envparity_server.api.bodies import field, read_json
from envparity_server.api.compare_documents import JsonSchema
from envparity_server.api.comparisons import SelectorText
from envparity_server.api.explain_documents import ExplanationAnswer, ExplanationQuestion
from envparity_server.api.openapi import documented
from envparity_server.api.problems import Problem
from envparity_server.api.roles import Acting
from envparity_server.compare.scope import Scope, parse_scope
from envparity_server.explain.causes import explain
from envparity_server.explain.failures import Failure, parse_failure
from envparity_server.explain.model import Explanation, Situation
from envparity_server.references import hold_selectors
from envparity_server.storage.actors import Actor, Environments
from envparity_server.storage.database import reading

router = APIRouter(prefix="/api/v1", tags=["explain"])

MAX_TRACEBACK = 1024 * 1024  # bytes


@router.get("/schemas/explanation", **documented(JsonSchema))
def explanation_schema() -> dict[str, Any]:
    """The JSON Schema of an explanation: `envparity explain --json`."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **ExplanationAnswer.model_json_schema()}


@router.get("/explain", **documented(ExplanationAnswer))
def explain_two(
    request: Request, good: SelectorText, bad: SelectorText, actor: Acting, only: str = "", app: str = ""
) -> dict[str, Any]:
    """Rank what differs between two selectors, at any moments, by how likely it is the cause of a failure."""
    return _explained(request, actor, (good, bad), parse_scope(only, app), None)


@router.post("/explain", **documented(ExplanationAnswer, ExplanationQuestion))
async def explain_failure(request: Request, actor: Acting) -> dict[str, Any]:
    """The same with what the failing run printed, which says more than all differences do."""
    body = await read_json(request)
    sides = field(body, "good", str), field(body, "bad", str)
    scope = parse_scope(field(body, "only", str, ""), field(body, "app", str, ""))
    printed = body.get("traceback", "")  # no `field`: a log may have any character
    if not isinstance(printed, str):
        raise InvalidDocument("traceback is not of type str")
    if len(printed.encode("utf-8", "replace")) > MAX_TRACEBACK:
        told = f"the traceback is over {MAX_TRACEBACK} bytes"
        raise Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, told, "send its end, where the error is")
    return await run_in_threadpool(_explained, request, actor, sides, scope, printed)


def _explained(
    request: Request, actor: Actor, sides: tuple[str, str], scope: Scope, printed: str | None
) -> dict[str, Any]:
    with reading(engine_of(request)) as connection:
        found, notes = explained(connection, sides, scope, printed, actor.environments)
    document = found.document()
    return {**document, "notes": [*notes, *document["notes"]]}


def explained(
    connection: Connection, sides: tuple[str, str], scope: Scope, printed: str | None, environments: Environments
) -> tuple[Explanation, tuple[str, ...]]:
    """The causes between two selectors, the good one first, and what must be said beside the two."""
    failure: Failure | None = parse_failure(printed) if printed else None
    held = hold_selectors(connection, *sides, now(), scope, environments)
    return explain(Situation(held.left, held.right, held.comparison, failure)), held.notes
