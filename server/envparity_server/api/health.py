"""What machines ask that watch the server: does it live, is it ready, how much is there of what."""

from datetime import datetime
from http import HTTPStatus

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.responses import Response

from envparity_server.api.authentication import engine_of, now
from envparity_server.api.metrics import metrics_of
from envparity_server.api.problems import Problem, unavailable
from envparity_server.api.roles import Acting
from envparity_server.storage.database import reading
from envparity_server.storage.health import Readiness

router = APIRouter(tags=["health"])


@router.get("/livez")
async def alive() -> Response:
    """Whether the process answers; no database is asked."""
    return PlainTextResponse("ok\n")


@router.get("/readyz")
def ready(request: Request) -> Response:
    """Whether the server can do its work: a row can be written, and the schema is this program's."""
    readiness: Readiness = request.app.state.readiness
    problem = readiness.problem()
    return unavailable(problem) if problem else JSONResponse({"ready": True})


@router.get("/metrics")
def metrics(request: Request, actor: Acting) -> Response:
    """Metrics in Prometheus' text format, for whoever sees all environments."""
    if actor.environments is not None:
        raise Problem(HTTPStatus.FORBIDDEN, "metrics tell of every environment", "use a token that is for all of them")
    moment: datetime = now()
    with reading(engine_of(request)) as connection:
        return Response(metrics_of(request).exposition(connection, moment), media_type=CONTENT_TYPE_LATEST)
