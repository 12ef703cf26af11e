"""The pages Gates and Gate run: what pipelines were answered, and what an operator accepts."""

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import Response

from envparity_agent.errors import UsageError
from envparity_server.api.authentication import engine_of, now
from envparity_server.api.gate_runs import accepted
from envparity_server.dashboard.addresses import PageNumber, permalink
from envparity_server.dashboard.forms import may, read_form, require
from envparity_server.dashboard.pages import page, require_person, seen_by
from envparity_server.gating.model import Finding, Report, Standing, Verdict
from envparity_server.storage import gate_runs
from envparity_server.storage.actors import Role
from envparity_server.storage.database import reading, writing
from envparity_server.storage.gate_runs import MOST, Run, Wanted, is_web

router = APIRouter(include_in_schema=False, dependencies=[Depends(require_person)])

PAGE_ROWS = 50
MOST_FINDINGS = 200  # of one standing; the document has all
_LONGEST_REASON = 1024

_ACCOUNTED = {  # standing -> its title, in the order of the page
    Standing.DECLARED: "declared",
    Standing.EXPECTED: "expected by rules",
    Standing.KNOWN: "known from the last accepted run",
    Standing.BELOW: "under the threshold",
}

Text = Annotated[str, Query(max_length=MOST, pattern=r"^[^\x00]*$")]
RunId = Annotated[int, Path(ge=1, lt=2**63)]


@router.get("/gates")
def show_gates(
    request: Request,
    repository: Text = "",
    ref: Text = "",
    verdict: Text = "",
    number: PageNumber = 1,
) -> Response:
    """The newest runs, of one repository, ref or verdict if asked for."""
    wanted = Wanted(repository, ref, Verdict(verdict) if verdict in set(Verdict) else None)
    with reading(engine_of(request)) as connection:
        seen = seen_by(request)
        runs, matching = gate_runs.listed(connection, wanted, seen, PAGE_ROWS, (number - 1) * PAGE_ROWS)
        counts = gate_runs.counted(connection, wanted, seen)
        repositories = gate_runs.repositories(connection, seen)
        is_empty = not matching and not gate_runs.listed(connection, Wanted(), seen, limit=1)[1]
    return page(
        request,
        "gates.html",
        runs=runs,
        matching=matching,
        is_empty=is_empty,
        counts=counts,
        repositories=repositories,
        wanted=wanted,
        number=number,
        pages=-(-matching // PAGE_ROWS),
        gates_address=gates_address,
    )


def gates_address(wanted: Wanted, page: int = 1, **changed: str) -> str:
    """The permalink of a list."""
    told = {"repository": wanted.repository, "ref": wanted.ref, "verdict": wanted.verdict or "", **changed}
    return permalink("/gates", page, **told)


@router.get("/gates/{id}")
def show_gate(request: Request, id: RunId) -> Response:
    """One run: what fails and how to undo it, what is accounted for, what could not be told."""
    with reading(engine_of(request)) as connection:
        found = gate_runs.by_id(connection, id, seen_by(request))
    if found is None:
        raise HTTPException(HTTPStatus.NOT_FOUND, f"no run {id} of a gate")
    return _shown(request, *found)


@router.post("/gates/{id}/accept")
async def accept_gate(request: Request, id: RunId) -> Response:
    """Accept what a run found, for the reason of the form."""
    reason = (await read_form(request)).text("reason")[:_LONGEST_REASON]
    return await run_in_threadpool(_accept, request, id, reason)


def _accept(request: Request, id: int, reason: str) -> Response:
    actor = require(request, Role.OPERATOR)
    if not reason:
        raise UsageError("the form has no reason", "go back, and say why it is fine as it is")
    with writing(engine_of(request)) as connection:
        accepted(connection, id, actor, reason)
    return RedirectResponse(f"/gates/{id}", HTTPStatus.SEE_OTHER)


def _shown(request: Request, run: Run, report: Report) -> Response:
    return page(
        request,
        "gate.html",
        run=run,
        report=report,
        failing=_cut(report.standing(Standing.FAILS)),
        accounted=[_group(title, report.standing(standing)) for standing, title in _ACCOUNTED.items()],
        untold=_group("could not be told", report.standing(Standing.UNKNOWN)),
        link=run.link if is_web(run.link) else "",
        may_accept=run.verdict == Verdict.DRIFT and run.accepted_at is None and may(request, Role.OPERATOR),
        longest_reason=_LONGEST_REASON,
        gates_address=gates_address,
        now=now(),
    )


def _group(title: str, findings: tuple[Finding, ...]) -> dict[str, Any]:
    return {"title": title, "count": len(findings), "findings": _cut(findings)}


def _cut(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    return findings[:MOST_FINDINGS]
