"""The page Compare: what differs between two of anything, grouped and folded, and what was not examined."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from envparity_agent.errors import EnvparityError
from envparity_agent.kinds import KINDS
from envparity_server.api.authentication import engine_of, now
from envparity_server.api.problems import status_of
from envparity_server.compare.groups import expected, group, severities
from envparity_server.compare.model import UNKNOWN_STATES, Comparison
from envparity_server.compare.scope import parse_scope
from envparity_server.dashboard.pages import page, require_person, seen_by
from envparity_server.dashboard.suggestions import suggest
from envparity_server.references import compare_selectors
from envparity_server.storage import hosts
from envparity_server.storage.database import reading

router = APIRouter(include_in_schema=False, dependencies=[Depends(require_person)])

Text = Annotated[str, Query(max_length=1024)]


@router.get("/compare")
def show_compare(
    request: Request, left: Text = "", right: Text = "", only: Text = "", app: Text = "", section: Text = ""
) -> Response:
    """Pick A and B; where both are given, compare them. With `section`, that section alone and unfolded."""
    moment = now()
    with reading(engine_of(request)) as connection:
        everyone = hosts.all_hosts(connection, seen_by(request))
        values: dict[str, Any] = {
            "left": left,
            "right": right,
            "only": only,
            "app": app,
            "section": section,
            "choices": _choices(everyone),
            "kinds": sorted({kind for kind, _ in KINDS}),
        }
        if not (left and right):
            return page(request, "compare.html", suggestions=suggest(connection, everyone, moment), **values)
        try:
            scope = parse_scope(only, app)
            comparison, notes = compare_selectors(connection, left, right, moment, scope, seen_by(request))
        except EnvparityError as problem:
            return page(request, "compare.html", status_of(problem), problem=problem, **values)
        groups = [one for one in group(comparison) if section in ("", one.section)]
        template = "compare_group.html" if "hx-request" in request.headers and section else "compare.html"
        return page(
            request,
            template,
            comparison=comparison,
            groups=groups,
            headline=_headline(comparison),
            expected=expected(comparison.differences),
            notes=notes,
            **values,
        )


def _headline(comparison: Comparison) -> str:
    """What differs, in short; that nothing does is said only where all was examined and nothing is expected."""
    counted = severities(comparison.differences)
    if counted:
        return counted
    if comparison.unexamined or any(one.state in UNKNOWN_STATES for one in comparison.differences):
        return "No difference, but gaps"
    if not comparison.examined:
        return "Nothing was compared"
    return "Nothing unexpected differs" if comparison.differences else "Nothing differs"


def _choices(everyone: list[hosts.Host]) -> list[str]:
    environments = dict.fromkeys(f"env:{one.environment}" for one in everyone)
    return [*environments, *(f"host:{one.name}" for one in everyone[:500])]
