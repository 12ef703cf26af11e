"""What every page shares: templates, the person's session, error pages."""

import re
from collections.abc import Sequence
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse
from markupsafe import Markup
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response
from starlette.templating import Jinja2Templates

from envparity_agent import __version__
from envparity_agent.errors import CannotTell, EnvparityError
from envparity_server.api.authentication import engine_of, now, person_of
from envparity_server.api.moments import ago
from envparity_server.api.problems import UNAVAILABLE, status_of, told
from envparity_server.compare.groups import wording
from envparity_server.dashboard.addresses import package_address, permalink
from envparity_server.demo.fleet import AGAINST
from envparity_server.demo.loading import is_loaded
from envparity_server.storage.actors import Actor, Environments, Role
from envparity_server.storage.database import reading

templates = Jinja2Templates(Path(__file__).with_name("templates"))


def _ago(moment: datetime) -> str:
    return ago(moment, now())


def _live(kinds: str) -> Markup:
    """The attributes of a part of a page that is to be fetched anew when events of some kinds come: `live.js`."""
    return Markup('data-live="{}" data-made="{}"').format(kinds, now().isoformat())


def compare_address(left: str, right: str, **more: str) -> str:
    """The permalink of a comparison."""
    return "/compare?" + urlencode({"left": left, "right": right, **{k: v for k, v in more.items() if v}})


_DIGEST = re.compile(r"((?:sha256:)?[0-9a-f]{8})[0-9a-f]{24,}…?")


def short(text: str) -> str:
    """A text with its digests cut: as much of each as tells two apart."""
    return _DIGEST.sub(r"\1…", text)


_NAVIGATION = (
    ("/", "Overview"),
    ("/compare", "Compare"),
    ("/matrix", "Matrix"),
    ("/hosts", "Hosts"),
    ("/packages", "Packages"),
    ("/images", "Images"),
    ("/drifts", "Drifts"),
    ("/timeline", "Timeline"),
    ("/baselines", "Baselines"),
    ("/rules", "Rules"),
    ("/gates", "Gates"),
)


def _navigation(person: Actor) -> Sequence[tuple[str, str]]:
    """Address and name of the pages that a person may open."""
    return (*_NAVIGATION, ("/admin", "Admin")) if person.role.may(Role.ADMIN) else _NAVIGATION


templates.env.globals.update(
    version=__version__, live=_live, ago=_ago, wording=wording, compare_address=compare_address, navigation=_navigation,
    package_address=package_address, permalink=permalink,
)  # fmt: skip
templates.env.filters["short"] = short


class LoginNeeded(Exception):
    """The page needs a session."""


def require_person(request: Request) -> None:
    """Let a logged-in person pass, and leave who it is in `request.state`; raises LoginNeeded."""
    person = person_of(request)
    if person is None:
        raise LoginNeeded
    request.state.actor = person


def seen_by(request: Request) -> Environments:
    """The environments that the person sees: a page shows nothing of any other."""
    actor: Actor = request.state.actor
    return actor.environments


async def to_login(request: Request, _: Exception) -> Response:
    """Ask for a login, and come back afterwards."""
    where = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return RedirectResponse(f"/login?next={quote(where, safe='')}", HTTPStatus.SEE_OTHER)


def page(request: Request, template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """Render a page."""
    values["has_demo"] = _has_demo(request, status)
    return templates.TemplateResponse(request, template, values, status_code=status)


def _has_demo(request: Request, status: int) -> bool:
    """Whether the page is to say that some of the hosts are no real ones; an error is said even without a database."""
    actor: Actor | None = getattr(request.state, "actor", None)
    if actor is None or status >= HTTPStatus.BAD_REQUEST or not any(map(actor.sees, AGAINST)):
        return False
    with reading(engine_of(request)) as connection:
        return is_loaded(connection)


def error_page(request: Request, problem: Exception) -> Response:
    """An error for a person: what happened and what to do next."""
    if isinstance(problem, EnvparityError):
        title = "Cannot tell" if isinstance(problem, CannotTell) else "That does not work"
        return page(request, "error.html", status_of(problem), title=title, problem=problem, advice=problem.advice)
    if isinstance(problem, HTTPException):
        missing = problem.status_code == HTTPStatus.NOT_FOUND
        title = "There is no such page" if missing else HTTPStatus(problem.status_code).phrase
        advice = "Look at the hosts instead." if missing else ""
        return page(request, "error.html", problem.status_code, title=title, problem=problem.detail, advice=advice)
    if isinstance(problem, RequestValidationError):
        return page(request, "error.html", 422, title="That does not work", problem=told(problem), advice="")
    if isinstance(problem, UNAVAILABLE):
        return page(
            request, "error.html", 503, title="The database cannot be used now",
            problem="It is locked, full or gone; nothing was lost.", advice="Try again in a moment.",
        )  # fmt: skip
    return page(
        request,
        "error.html",
        500,
        title="The server failed",
        problem=f"Its log says why, under {getattr(request.state, 'request_id', '')}.",
        advice="Try again later.",
    )
