"""What machines ask that watch the server: does it live, is it ready, how much is there of what."""

from datetime import datetime
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel, Field
from starlette.responses import Response

from envparity_server.api.authentication import engine_of, now
from envparity_server.api.metrics import metrics_of
from envparity_server.api.openapi import documented
from envparity_server.api.problems import Problem, unavailable
from envparity_server.api.roles import Acting
from envparity_server.storage.database import reading
from envparity_server.storage.health import Readiness

router = APIRouter(tags=["health"])

_METRICS = """# HELP envparity_hosts Hosts by state.
# TYPE envparity_hosts gauge
envparity_hosts{state="fresh"} 12.0
"""


class Ready(BaseModel):
    """The server can do its work."""

    ready: bool = Field(examples=[True])


def _text(example: str) -> dict[int | str, dict[str, Any]]:
    """An answer in text, for the OpenAPI document."""
    return {200: {"content": {"text/plain": {"example": example}}}}


@router.get("/livez", response_class=PlainTextResponse, responses=_text("ok\n"))
async def alive() -> Response:
    """Whether the process answers; no database is asked."""
    return PlainTextResponse("ok\n")


@router.get("/readyz", **documented(Ready))
def ready(request: Request) -> Response:
    """Whether the server can do its work: a row can be written, and the schema is this program's."""
    readiness: Readiness = request.app.state.readiness
    problem = readiness.problem()
    return unavailable(problem) if problem else JSONResponse({"ready": True})


@router.get("/metrics", response_class=PlainTextResponse, responses=_text(_METRICS))
def metrics(request: Request, actor: Acting) -> Response:
    """Metrics in Prometheus' text format, for whoever sees all environments."""
    if actor.environments is not None:
        raise Problem(HTTPStatus.FORBIDDEN, "metrics tell of every environment", "use a token that is for all of them")
    moment: datetime = now()
    with reading(engine_of(request)) as connection:
        return Response(metrics_of(request).exposition(connection, moment), media_type=CONTENT_TYPE_LATEST)
