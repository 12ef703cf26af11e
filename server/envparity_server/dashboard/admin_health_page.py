"""The first page of Admin: whether the server is well, what its jobs did, how much there is, and what is kept."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from envparity_server.api.authentication import engine_of, now
from envparity_server.dashboard.forms import require
from envparity_server.dashboard.pages import page
from envparity_server.storage import health, jobs
from envparity_server.storage.actors import Role
from envparity_server.storage.database import present_revision, reading
from envparity_server.storage.health import Readiness

router = APIRouter()

PURPOSES = {  # name of a job -> what it does
    "retire": "retires hosts whose time is over",
    "evaluate": "finds drifts, and what is to be told of them",
    "deliver": "sends notifications",
    "tags": "asks registries where tags point",
    "prune": "removes what is older than what is kept",
}


@router.get("/admin")
def show_health(request: Request) -> Response:
    """For who sees all environments: what it tells is of all of them."""
    actor = require(request, Role.ADMIN)
    if actor.environments is not None:
        return page(request, "admin_health.html", is_scoped=True)
    readiness: Readiness = request.app.state.readiness
    engine = engine_of(request)
    problem = readiness.problem()
    with reading(engine) as connection:
        return page(
            request,
            "admin_health.html",
            problem=problem,
            counts=health.counts(connection, now()),
            jobs=jobs.states(connection),
            purposes=PURPOSES,
            rows=health.rows(connection),
            size=health.size(connection),
            free=health.free_bytes(engine),
            dialect=engine.dialect.name,
            schema=present_revision(engine),
            settings=request.app.state.settings,
        )
