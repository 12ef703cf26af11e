"""The pages Baselines and Baseline: what was pinned, by whom it is approved, and what differs from it."""

import re
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from envparity_agent.errors import EnvparityError, UsageError
from envparity_server.api.authentication import engine_of, now
from envparity_server.api.baselines import approve, pin_each, propose, remove, state_of, withdraw
from envparity_server.api.lists import NAME
from envparity_server.api.problems import status_of
from envparity_server.baselining import Proposal
from envparity_server.dashboard.addresses import PageNumber, Text
from envparity_server.dashboard.forms import Form, may, read_form, require
from envparity_server.dashboard.pages import page, require_person, seen_by
from envparity_server.dashboard.suggestions import choices
from envparity_server.storage import baselines, hosts
from envparity_server.storage.actors import Role
from envparity_server.storage.database import reading

router = APIRouter(include_in_schema=False, dependencies=[Depends(require_person)])

PAGE_ROWS = 50
MOST_VERSIONS = 50
_LONGEST = 1024

Name = Annotated[str, Path(pattern=NAME)]


@router.get("/baselines")
def show_baselines(request: Request, source: Text = "", number: PageNumber = 1) -> Response:
    """Every baseline with its reference and what waits for a decision; `source` begins a proposal."""
    return _list(request, number, {"source": source})


def _list(request: Request, number: int, fields: dict[str, str], problem: EnvparityError | None = None) -> Response:
    seen, moment = seen_by(request), now()
    with reading(engine_of(request)) as connection:
        every = baselines.every(connection, seen)
        shown = every[(number - 1) * PAGE_ROWS : number * PAGE_ROWS]
        versions = baselines.versions(connection, [one.name for one in shown])
        offered = choices(hosts.all_hosts(connection, seen))
    by_name = {one.name: {each.number: each for each in versions if each.name == one.name} for one in shown}
    return page(
        request,
        "baselines.html",
        status_of(problem) if problem else 200,
        baselines=shown,
        references={one.name: by_name[one.name].get(one.approved) for one in shown if one.approved},
        waiting={one.name: by_name[one.name][one.newest] for one in shown if by_name[one.name][one.newest].is_open},
        matching=len(every),
        number=number,
        pages=-(-len(every) // PAGE_ROWS),
        fields=fields,
        problem=problem,
        choices=offered,
        today=f"today-{moment:%Y-%m-%d}",
        may_decide=may(request, Role.OPERATOR),
    )


@router.post("/baselines")
async def propose_baseline(request: Request) -> Response:
    """Propose a version of what a selector stands for; it is no reference before it is approved."""
    return await run_in_threadpool(_propose, request, await read_form(request))


def _propose(request: Request, form: Form) -> Response:
    actor = require(request, Role.OPERATOR)
    fields = {one: form.text(one)[:_LONGEST] for one in ("name", "source", "applies_to", "reason")}
    try:
        propose(
            engine_of(request), actor, Proposal(_name(fields), fields["source"], fields["applies_to"], _reason(form))
        )
    except EnvparityError as problem:
        return _list(request, 1, fields, problem)
    return RedirectResponse(f"/baselines/{fields['name']}", 303)


@router.post("/baselines/today")
async def pin_today(request: Request) -> Response:
    """Pin each host of a selector to what it runs now, approved in one go."""
    return await run_in_threadpool(_pin_today, request, await read_form(request))


def _pin_today(request: Request, form: Form) -> Response:
    actor = require(request, Role.OPERATOR)
    fields = {one: form.text(one)[:_LONGEST] for one in ("name", "of", "reason")}
    try:
        pin_each(engine_of(request), actor, _name(fields), fields["of"], _reason(form))
    except EnvparityError as problem:
        return _list(request, 1, {f"today_{one}": value for one, value in fields.items()}, problem)
    return RedirectResponse(f"/baselines/{fields['name']}", 303)


def _name(fields: dict[str, str]) -> str:
    if not re.fullmatch(NAME, fields["name"]):
        raise UsageError(
            f"{fields['name'][:80]!r} is no name of a baseline", "letters, digits, . _ -, at most 63, a letter first"
        )
    return fields["name"]


def _reason(form: Form) -> str:
    if not form.text("reason"):
        raise UsageError("the form has no reason", "go back, and say why")
    return form.text("reason")[:_LONGEST]


@router.get("/baselines/{name}")
def show_baseline(request: Request, name: Name) -> Response:
    """One baseline with its versions: who proposed and who decided about each, and why."""
    with reading(engine_of(request)) as connection:
        one = baselines.named(connection, name, seen_by(request))
        versions = baselines.versions(connection, [name])
        offered = choices(hosts.all_hosts(connection, seen_by(request)))
    return page(
        request,
        "baseline.html",
        one=one,
        versions=versions[:MOST_VERSIONS],
        total=len(versions),
        state_of=state_of,
        choices=offered,
        may_decide=may(request, Role.OPERATOR),
    )


@router.post("/baselines/{name}/approve")
async def approve_version(request: Request, name: Name) -> Response:
    """Make the newest version the reference."""
    actor, form = require(request, Role.OPERATOR), await read_form(request)
    await run_in_threadpool(approve, engine_of(request), actor, name, form.number("version"))
    return RedirectResponse(f"/baselines/{name}", 303)


@router.post("/baselines/{name}/withdraw")
async def withdraw_version(request: Request, name: Name) -> Response:
    """Take back a proposal, or the reference, for the reason of the form."""
    actor, form = require(request, Role.OPERATOR), await read_form(request)
    await run_in_threadpool(withdraw, engine_of(request), actor, name, form.number("version"), _reason(form))
    return RedirectResponse(f"/baselines/{name}", 303)


@router.get("/baselines/{name}/remove")
def show_removal(request: Request, name: Name) -> Response:
    """Ask whether a baseline is to be removed."""
    require(request, Role.OPERATOR)
    with reading(engine_of(request)) as connection:
        return page(request, "baseline_remove.html", one=baselines.named(connection, name, seen_by(request)))


@router.post("/baselines/{name}/remove")
async def remove_baseline(request: Request, name: Name) -> Response:
    """Remove a baseline with all its versions."""
    actor, form = require(request, Role.OPERATOR), await read_form(request)
    await run_in_threadpool(remove, engine_of(request), actor, name, form.number("version"))
    return RedirectResponse("/baselines", 303)
