"""Runs of gates: what each pipeline was answered, with which differences; an operator accepts what one found."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from sqlalchemy import Connection

from envparity_server.api.authentication import engine_of, now
from envparity_server.api.lists import Answer, Limit, Offset
from envparity_server.api.problems import Problem
from envparity_server.api.roles import Acting
from envparity_server.compare.model import State
from envparity_server.gating.model import Coverage, Finding, Place, Report, Standing, Verdict
from envparity_server.storage import gate_runs
from envparity_server.storage.actors import Actor
from envparity_server.storage.database import reading, writing
from envparity_server.storage.gate_runs import MOST, Run, Wanted

router = APIRouter(prefix="/api/v1/gate-runs", tags=["gates"])

RunId = Annotated[int, Path(ge=1, lt=2**63, description="Its number.", examples=[41])]
Told = Annotated[str, Query(max_length=MOST, pattern=r"^[^\x00]*$")]
VerdictWord = Literal["parity", "drift", "unknown"]

_SUMMARY = "1 undeclared: libssl3 3.0.15 → 3.0.11 via base image debian:bookworm (digest moved)"
_REPORT = Report(
    verb="gate",
    subject="image:shop:1.5",
    reference="env:prod",
    verdict=Verdict.DRIFT,
    threshold="low",
    summary=_SUMMARY,
    findings=(
        Finding(
            id="5b7a863f2a9c0d1e", content="0d1e5b7a863f2a9c", section="os-packages", item="libssl3",
            attribute="version", state=State.CHANGED, left="3.0.11", right="3.0.15", severity="medium",
            distance="patch", words="3.0.15 → 3.0.11", standing=Standing.FAILS,
            origin="via base image debian:bookworm (digest moved)", place=Place("Dockerfile", 1),
        ),
    ),
    coverage=Coverage(412, 412),
).document()  # fmt: skip


class StandingsAnswer(Answer):
    """How many differences stand how."""

    fails: int = Field(0, description="Nobody declared, expected or accepted them.", examples=[1])
    below: int = Field(0, description="Under the threshold.", examples=[0])
    known: int = Field(0, description="As in the last accepted run.", examples=[0])
    declared: int = Field(0, description="What a lock, Dockerfile or compose file says.", examples=[4])
    expected: int = Field(0, description="A rule covers them.", examples=[3])
    unknown: int = Field(0, description="They could not be told.", examples=[0])


class AcceptanceAnswer(Answer):
    """Who accepted what a run found, and why."""

    by: str = Field(examples=["person:ada"])
    at: datetime
    reason: str = Field(examples=["the new base image is meant"])


class GateRunAnswer(Answer):
    """A run: what was asked, and the answer in short."""

    id: str = Field(examples=["41"])
    at: datetime
    repository: str = Field(description="As the pipeline told it; empty where it did not.", examples=["acme/shop"])
    ref: str = Field(examples=["main"])
    commit: str
    link: str = Field(description="The pipeline's own page.")
    subject: str = Field(examples=["image shop"])
    against: str
    scope: str = Field(description="Empty: everything.", examples=["only=python,os"])
    verdict: VerdictWord = Field(examples=["drift"])
    threshold: str = Field(examples=["low"])
    summary: str = Field(examples=[_SUMMARY])
    counts: StandingsAnswer
    told_by: str = Field(description="Who asked.", examples=["token:github"])
    accepted: AcceptanceAnswer | None = Field(description="null: nobody did; parity needs nobody.", examples=[None])


class ShownGateRun(GateRunAnswer):
    """A run with everything that was answered."""

    report: dict[str, Any] = Field(description="What `POST /api/v1/gates` answered.", examples=[_REPORT])


class GateRunsAnswer(Answer):
    """A list of runs."""

    runs: list[GateRunAnswer]
    total: int


class RunAcceptance(BaseModel):
    """Why it is fine as it is."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    reason: Annotated[
        str,
        StringConstraints(min_length=1, max_length=1024, pattern=r"^[^\x00]+$"),
        Field(examples=["the new base image is meant"]),
    ]


@router.get("")
def list_gate_runs(
    request: Request,
    acting: Acting,
    repository: Annotated[Told, Query(description="Only of this one.", examples=["acme/shop"])] = "",
    ref: Annotated[Told, Query(description="Only of this branch or tag.", examples=["main"])] = "",
    verdict: Annotated[VerdictWord | None, Query(description="Only with this one.")] = None,
    limit: Limit = 200,
    offset: Offset = 0,
) -> GateRunsAnswer:
    """The newest runs against the environments one sees."""
    wanted = Wanted(repository, ref, Verdict(verdict) if verdict else None)
    with reading(engine_of(request)) as connection:
        found, total = gate_runs.listed(connection, wanted, acting.environments, limit, offset)
    return GateRunsAnswer(runs=[GateRunAnswer(**_head(one)) for one in found], total=total)


@router.get("/{id}")
def show_gate_run(request: Request, acting: Acting, id: RunId) -> ShownGateRun:
    """One run with its differences, causes, and what could not be told."""
    with reading(engine_of(request)) as connection:
        run, report = there(connection, id, acting)
    return ShownGateRun(**_head(run), report=report.document())


@router.post("/{id}/accept")
def accept_gate_run(request: Request, acting: Acting, id: RunId, body: RunAcceptance) -> GateRunAnswer:
    """What it found is fine as it is: `--new-only` counts only what comes beside it. Again changes nothing."""
    with writing(engine_of(request)) as connection:
        return GateRunAnswer(**_head(accepted(connection, id, acting, body.reason)))


def accepted(connection: Connection, id: int, acting: Actor, reason: str) -> Run:
    """Accept what a run found; the first reason stays. Raises Problem where it found no drift."""
    run, _ = there(connection, id, acting)
    if run.verdict != Verdict.DRIFT:
        raise Problem(
            HTTPStatus.CONFLICT,
            f"{run.name} ended in {run.verdict}: there is nothing to accept",
            "a run in parity counts as accepted by itself; what could not be told cannot be accepted",
        )
    gate_runs.accept(connection, id, acting, reason, now())
    return there(connection, id, acting)[0]


def there(connection: Connection, id: int, acting: Actor) -> tuple[Run, Report]:
    """A run that the actor may see; one of another environment is not there."""
    found = gate_runs.by_id(connection, id, acting.environments)
    if found is None:
        raise Problem(HTTPStatus.NOT_FOUND, f"no run {id} of a gate", "list them: envparity gates list")
    return found


def _head(one: Run) -> dict[str, Any]:
    taken = None
    if one.accepted_by and one.accepted_at:
        taken = AcceptanceAnswer(by=one.accepted_by, at=one.accepted_at, reason=one.reason or "")
    same = ("at", "repository", "ref", "commit", "link", "subject", "against", "scope", "threshold", "summary")
    return {
        **{name: getattr(one, name) for name in same},
        "id": str(one.id),
        "verdict": str(one.verdict),
        "counts": StandingsAnswer(**one.counts),
        "told_by": one.told_by,
        "accepted": taken,
    }
