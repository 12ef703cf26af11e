"""What readers ask: the fingerprint of a selector, and a comparison of two."""

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import JSONResponse

from envparity_agent import schema
from envparity_server.api.authentication import engine_of, now
from envparity_server.api.compare_documents import (
    ComparisonAnswer,
    FingerprintAnswer,
    JsonSchema,
)
from envparity_server.api.openapi import documented
from envparity_server.api.roles import Acting
from envparity_server.compare.scope import parse_scope
from envparity_server.references import compare_selectors, resolve
from envparity_server.storage import rules
from envparity_server.storage.content import detached
from envparity_server.storage.database import reading

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
