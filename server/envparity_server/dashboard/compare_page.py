"""The page Compare: what differs between two of anything, grouped and folded, and what was not examined."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import RedirectResponse
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from envparity_agent.errors import EnvparityError
from envparity_agent.kinds import KINDS, title
from envparity_server.api.authentication import engine_of, now
from envparity_server.api.explanations import MAX_TRACEBACK, explained
from envparity_server.api.problems import status_of
from envparity_server.compare.equal import equal_items
from envparity_server.compare.gaps import Gap, gaps
from envparity_server.compare.groups import Sides, expected, group, severities, side_by_side, text
from envparity_server.compare.model import UNKNOWN_STATES, Comparison
from envparity_server.compare.scope import parse_scope
from envparity_server.dashboard.addresses import Text
from envparity_server.dashboard.comparing import Asked, Question, at, split
from envparity_server.dashboard.downloads import FORMATS, download
from envparity_server.dashboard.forms import may, read_form
from envparity_server.dashboard.pages import page, require_person, seen_by
from envparity_server.dashboard.suggestions import application_address, choices, suggest
from envparity_server.drift.findings import Key, key_of
from envparity_server.explain.words import headline, shown, summary
from envparity_server.references import Held, hold_selectors
from envparity_server.storage import applications, baselines, drifts, hosts, rules
from envparity_server.storage.actors import Role
from envparity_server.storage.database import reading

router = APIRouter(include_in_schema=False, dependencies=[Depends(require_person)])

MOST_APPLICATIONS = 50  # that are listed before anything is compared
MOST_GROUPS = 200
MOST_ROWS = 500  # of a section that is opened
MOST_EQUAL = 200
MOST_EXPECTED = 200  # of one rule

_OWN_CODE = "application"
_AS_CALLED = {  # where it works -> how the page calls the side where it works, and the other
    "left": Sides("A", "B", "only in A", "only in B"),
    "right": Sides("B", "A", "only in B", "only in A"),
}


@router.get("/compare")
def show_compare(
    request: Request,
    asked: Asked,
    section: Text = "",
    left_at: Text | None = None,
    right_at: Text | None = None,
    format: Annotated[str, Query(pattern=f"^({'|'.join(FORMATS)})?$")] = "",
) -> Response:
    """Pick A and B; where both are given, compare them. With `section`, that section alone and unfolded."""
    if left_at is not None or right_at is not None:  # of the form: its moments become part of the selectors
        whole = replace(asked, left=at(asked.left, left_at or ""), right=at(asked.right, right_at or ""))
        return RedirectResponse(whole.address(), 303)
    moment = now()
    with reading(engine_of(request)) as connection:
        if not (asked.left and asked.right):
            everyone = hosts.all_hosts(connection, seen_by(request))
            return page(
                request, "compare.html", suggestions=suggest(connection, everyone, moment),
                every_application=applications.every(connection, seen_by(request)),
                application_address=application_address, most_applications=MOST_APPLICATIONS,
                **_form(request, connection, asked, everyone),
            )  # fmt: skip
        try:
            scope = parse_scope(asked.only, asked.app)
            held = hold_selectors(connection, asked.left, asked.right, moment, scope, seen_by(request))
        except EnvparityError as problem:
            everyone = hosts.all_hosts(connection, seen_by(request))
            values = _form(request, connection, asked, everyone)
            return page(request, "compare.html", status_of(problem), problem=problem, **values)
        if format:
            return download(held.comparison, held.notes, format)
        values = _differences(request, connection, asked, held, section)
        if section and "hx-request" in request.headers:
            return page(request, "compare_group.html", asked=asked, **values)
        everyone = hosts.all_hosts(connection, seen_by(request))
        values |= _beside(asked, held) | _form(request, connection, asked, everyone)
    return page(request, "compare.html", **values)


@router.get("/compare/causes")
def show_causes(request: Request, asked: Asked) -> Response:
    """Which difference is likely to blame, where one side works and the other does not."""
    return _causes(request, asked, "")


@router.post("/compare/causes")
async def show_causes_of(request: Request, asked: Asked) -> Response:
    """The same with what the failing run printed, which says more than all differences do."""
    form = await read_form(request)
    printed = "\n".join(form.fields.get("printed", []))[-MAX_TRACEBACK:]  # the error is at its end
    return await run_in_threadpool(_causes, request, asked, printed)


def _causes(request: Request, asked: Question, printed: str) -> Response:
    with reading(engine_of(request)) as connection:
        scope = parse_scope(asked.only, asked.app)
        found, notes = explained(connection, asked.sides, scope, printed, seen_by(request))
    return page(
        request,
        "compare_causes.html" if "hx-request" in request.headers else "compare_causes_page.html",
        asked=asked,
        good=found.comparison.left.name,
        bad=found.comparison.right.name,
        told=shown(found, everything=False),
        summary=summary(found),
        headline=partial(headline, sides=_AS_CALLED["right" if asked.good else "left"]),
        unknown=(*notes, *found.notes),
        printed=printed,
    )


def _form(request: Request, connection: Connection, asked: Question, everyone: Sequence[hosts.Host]) -> dict[str, Any]:
    """What can be picked."""
    seen, moment = seen_by(request), now()
    return {
        "asked": asked,
        "section": request.query_params.get("section", ""),
        "left": split(asked.left, moment),
        "right": split(asked.right, moment),
        "choices": choices(everyone, baselines.every(connection, seen)),
        "kinds": {kind: title(kind) for kind, _ in sorted(KINDS)},
        "applications": applications.names(connection, seen),
        "formats": FORMATS,
    }


def _differences(request: Request, connection: Connection, asked: Question, held: Held, section: str) -> dict[str, Any]:
    """The differences that are shown, the application's own code first, and the open drifts that they are of."""
    comparison = held.comparison
    known = tuple(one for one in comparison.differences if one.state not in UNKNOWN_STATES)
    differing = replace(comparison, differences=known)
    groups = [one for one in group(differing) if section in ("", one.section)]
    groups.sort(key=lambda one: one.differences[0].kind != _OWN_CODE)
    visible = groups[:MOST_GROUPS]
    rows = [one for each in visible for one in each.differences[:MOST_ROWS] if section or not each.is_folded]
    return {
        "groups": visible,
        "hidden_groups": len(groups) - len(visible),
        "most_rows": MOST_ROWS,
        "side_by_side": side_by_side,
        "drifts_of": _drifts_of(request, connection, asked, {key_of(one) for one in rows}),
        "key_of": key_of,
        "may_decide": may(request, Role.OPERATOR),
    }


def _drifts_of(
    request: Request, connection: Connection, asked: Question, keys: set[Key]
) -> Mapping[Key, tuple[drifts.About, ...]]:
    subjects = rules.subjects(connection, (asked.left, asked.right), now(), seen_by(request))
    sides = {(one.environment, one.id) for one in subjects if one.environment}
    return drifts.open_about(connection, keys, sides)


def _beside(asked: Question, held: Held) -> dict[str, Any]:
    """What is said beside the differences: what is expected, what could not be told, what is equal."""
    comparison = held.comparison
    found = gaps(comparison)
    return {
        "comparison": comparison,
        "notes": held.notes,
        "headline": _headline(comparison, found),
        "expected": expected(comparison.differences),
        "most_expected": MOST_EXPECTED,
        "gaps": found,
        "beyond": [one for one in comparison.unexamined if one.beyond],
        "equal": list(islice(equal_items(held.left, held.right, comparison), MOST_EQUAL)) if asked.all else None,
        "text": text,
    }


def _headline(comparison: Comparison, found: Sequence[Gap]) -> str:
    """What differs, in short; that nothing does is said only where all was examined and nothing is expected."""
    counted = severities(comparison.differences)
    if counted:
        return counted
    if found:
        return "No difference, but gaps"
    if not comparison.examined:
        return "Nothing was compared"
    return "Nothing unexpected differs" if comparison.differences else "Nothing differs"
