"""Puts the server together: database, API, dashboard, headers. The only place that wires."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from copy import deepcopy
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.staticfiles import StaticFiles
from sqlalchemy import Engine
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute

from envparity_agent import __version__
from envparity_agent.errors import EnvparityError
from envparity_server.api import (
    agents,
    applications,
    audit,
    baselines,
    changes,
    channels,
    comparisons,
    deploys,
    drifts,
    enrolment_tokens,
    environments,
    explanations,
    gate_badges,
    gate_runs,
    gates,
    health,
    hosts,
    items,
    majorities,
    outcomes,
    people,
    pivots,
    rules,
    sessions,
    tags,
    tokens,
)
from envparity_server.api.attempts import LoginAttempts
from envparity_server.api.limits import Guard
from envparity_server.api.metrics import Metrics
from envparity_server.api.openapi import complete
from envparity_server.api.origins import is_forged
from envparity_server.api.problems import UNAVAILABLE, Problem, on_error
from envparity_server.api.requests import Requests
from envparity_server.api.roles import authorised
from envparity_server.dashboard import (
    account_page,
    add_host_page,
    admin_pages,
    baseline_pages,
    compare_page,
    demo_page,
    docs_page,
    drift_pages,
    events,
    gate_pages,
    host_pages,
    images_page,
    login_page,
    matrix_page,
    overview_page,
    package_page,
    picture_page,
    rule_pages,
    search_page,
    setup_page,
    timeline_page,
)
from envparity_server.dashboard.listeners import Listeners
from envparity_server.dashboard.pages import LoginNeeded, error_page, to_login
from envparity_server.jobs import JOBS, Job, Jobs
from envparity_server.settings import DEFAULTS, ServerSettings
from envparity_server.storage.health import Readiness

# the dashboard asks nobody but its own server for anything, and runs no inline script
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}

FOR_PROGRAMS = ("/api/", "/badges/", "/livez", "/readyz", "/metrics")

_RESOURCES = (
    agents,
    comparisons,
    gates,
    explanations,
    hosts,
    environments,
    items,
    changes,
    tags,
    baselines,
    majorities,
    pivots,
    applications,
    rules,
    drifts,
    deploys,
    outcomes,
    gate_runs,
    gate_badges,
    channels,
    people,
    sessions,
    tokens,
    enrolment_tokens,
    audit,
    health,
)

_PAGES = (
    login_page,
    setup_page,
    overview_page,
    compare_page,
    matrix_page,
    picture_page,
    add_host_page,  # before the hosts, whose address has an id in its place
    host_pages,
    package_page,
    images_page,
    drift_pages,
    timeline_page,
    baseline_pages,
    rule_pages,
    gate_pages,
    search_page,
    admin_pages,
    account_page,
    demo_page,
    events,
    docs_page,
)


class _Application(FastAPI):
    """The framework's application, whose OpenAPI document is complete."""

    def openapi(self) -> dict[str, Any]:
        """The document, made once."""
        if not hasattr(self.state, "document"):
            self.state.document = complete(deepcopy(super().openapi()))
        document: dict[str, Any] = self.state.document
        return document


def create_app(engine: Engine, settings: ServerSettings = DEFAULTS, jobs: Sequence[Job] = JOBS) -> FastAPI:
    """The application on a database whose schema is this program's; its jobs run while it is served."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        working = Jobs(engine, settings, jobs)
        working.start()
        yield
        await run_in_threadpool(working.stop)
        engine.dispose()

    app = _Application(
        title="envparity",
        version=__version__,
        summary="Why does it work here and not there?",
        lifespan=lifespan,
        docs_url=None,  # the framework's pages load their scripts from elsewhere
        redoc_url=None,
        routes=_routes(),
    )
    app.state.engine, app.state.settings, app.state.login_attempts = engine, settings, LoginAttempts()
    app.state.metrics, app.state.readiness = Metrics(), Readiness(engine)
    app.state.listeners = Listeners(engine)
    app.mount("/static", StaticFiles(directory=Path(__file__).parent / "dashboard" / "static"), name="static")
    app.add_exception_handler(LoginNeeded, to_login)
    app.add_exception_handler(EnvparityError, _answer)
    app.add_exception_handler(HTTPException, _answer)
    app.add_exception_handler(RequestValidationError, _answer)
    for unavailable in UNAVAILABLE:
        app.add_exception_handler(unavailable, _answer)
    app.add_middleware(Guard)
    app.middleware("http")(_secure)
    app.add_middleware(Requests, metrics=app.state.metrics, failed=_answer_guarded)  # outermost
    return app


@cache
def _routes() -> list[BaseRoute]:
    """Of the API and of the pages: what the framework works out of them at the first request is worked out once."""
    every = APIRouter()
    for resource in _RESOURCES:
        every.include_router(resource.router, dependencies=[Depends(authorised)])
    for pages in _PAGES:
        every.include_router(pages.router)
    return every.routes


async def _answer(request: Request, problem: Exception) -> Response:
    """An error as a problem document for programs, as a page for people."""
    if request.scope["path"].startswith(FOR_PROGRAMS):
        return await on_error(request, problem)
    return error_page(request, problem)


async def _answer_guarded(request: Request, problem: Exception) -> Response:
    return _guarded(request, await _answer(request, problem))


async def _secure(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    # what comes with a token was meant; what comes with the cookie alone, any page could have sent
    by_token = request.scope["path"].startswith("/api/") and "authorization" in request.headers
    if not by_token and is_forged(request):
        problem = Problem(HTTPStatus.FORBIDDEN, "another site sent this form", "use the page of this server")
        return _guarded(request, await _answer(request, problem))
    return _guarded(request, await call_next(request))


def _guarded(request: Request, response: Response) -> Response:
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    if not request.scope["path"].startswith("/static/"):
        response.headers.setdefault("Cache-Control", "no-store")
    return response
