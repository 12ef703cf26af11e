"""Baselines: what people decided that hosts are held against; proposed, approved, withdrawn, removed."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError
from starlette.concurrency import run_in_threadpool

from envparity_agent.documents import from_document
from envparity_agent.fingerprint import Fingerprint
from envparity_server import baselining
from envparity_server.api.authentication import engine_of, now
from envparity_server.api.bodies import read_json
from envparity_server.api.compare_documents import Document
from envparity_server.api.lists import NAME, Answer, Limit, Offset
from envparity_server.api.openapi import by_hand
from envparity_server.api.problems import Problem
from envparity_server.api.roles import Acting
from envparity_server.baselining import Elsewhere, Proposal
from envparity_server.storage import baselines
from envparity_server.storage.actors import Actor
from envparity_server.storage.baselines import Baseline, Version
from envparity_server.storage.database import reading, writing

router = APIRouter(prefix="/api/v1/baselines", tags=["baselines"])

Name = Annotated[str, Path(pattern=NAME, examples=["shop"])]
Number = Annotated[int, Field(ge=1, lt=2**31, description="The version that is decided about.", examples=[3])]
Line = Annotated[str, StringConstraints(min_length=1, max_length=1024, pattern=r"^[^\x00]+$")]


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Pin(_Body):
    """A proposal: what a selector stands for, or a fingerprint that was taken elsewhere of a host, lock or image."""

    name: Annotated[str, StringConstraints(pattern=NAME)] = Field(examples=["shop"])
    source: Line = Field(
        description="A selector; with a fingerprint the name of what it was taken of.",
        examples=["env:prod,role=web@2026-11-01T02:00"],
    )
    fingerprint: Document | None = None
    applies_to: Line | None = Field(
        default=None,
        description="Which hosts it is for; by default those of the source.",
        examples=["env:prod,role=web"],
    )
    reason: Line = Field(examples=["release 4.2 passed its tests"])


class Today(_Body):
    """Every present host is pinned to what it runs now."""

    of: Line = Field(examples=["env:prod"])
    reason: Line = Field(examples=["the start of watching"])


class Approval(_Body):
    """A version becomes the reference."""

    version: Number


class Withdrawal(_Body):
    """A proposal is taken back, or the reference is none any more."""

    version: Number
    reason: Line = Field(examples=["it was taken during an outage"])


class VersionAnswer(Answer):
    """One version and what became of it."""

    number: int
    state: Literal["proposed", "approved", "replaced", "withdrawn"]
    source: str
    kind: str = Field(description="Of the target that was pinned; `hosts` where each host has its own.")
    taken_at: str
    reason: str
    proposed_by: str
    proposed_at: datetime
    approved_by: str | None
    approved_at: datetime | None
    withdrawn_by: str | None
    withdrawn_at: datetime | None


class BaselineAnswer(Answer):
    """A baseline; `versions` has the newest first."""

    name: str
    applies_to: str
    environment: str | None
    approved: int | None = Field(description="Number of the version that is the reference.")
    newest: int
    created_at: datetime
    versions: list[VersionAnswer]


class BaselineList(Answer):
    """Baselines by name."""

    baselines: list[BaselineAnswer]
    total: int


class Pinned(Answer):
    """What was made."""

    name: str
    version: int
    hosts: int | None = Field(default=None, description="How many hosts were pinned, each to its own.")


class Removed(Answer):
    """What is no more."""

    removed: str


@router.get("")
def list_baselines(
    request: Request,
    actor: Acting,
    limit: Limit = 100,
    offset: Offset = 0,
) -> BaselineList:
    """Every baseline with its versions."""
    with reading(engine_of(request)) as connection:
        every = baselines.every(connection, actor.environments)
        shown = every[offset : offset + limit]
        versions = baselines.versions(connection, [one.name for one in shown])
    return BaselineList(baselines=[_answer(one, versions) for one in shown], total=len(every))


@router.get("/{name}")
def show_baseline(request: Request, actor: Acting, name: Name) -> BaselineAnswer:
    """One baseline with all its versions: who proposed and who approved each, and why."""
    with reading(engine_of(request)) as connection:
        return _answer(baselines.named(connection, name, actor.environments), baselines.versions(connection, [name]))


@router.post("", openapi_extra=by_hand(Pin))
async def pin_baseline(request: Request, actor: Acting) -> Pinned:
    """Propose a version; it is no reference before it is approved."""
    # read by hand: a fingerprint may be large, and may come compressed
    body = await read_json(request)
    try:
        asked = Pin.model_validate(body)
    except ValidationError as problem:
        raise RequestValidationError([{**one, "loc": ("body", *one["loc"])} for one in problem.errors()]) from None
    return await run_in_threadpool(_pin, request, actor, asked)


def _pin(request: Request, actor: Actor, asked: Pin) -> Pinned:
    fingerprint = from_document(asked.fingerprint) if asked.fingerprint is not None else None
    proposal = Proposal(asked.name, asked.source, asked.applies_to or "", asked.reason)
    return Pinned(name=asked.name, version=propose(engine_of(request), actor, proposal, fingerprint))


def propose(engine: Engine, actor: Actor, proposal: Proposal, fingerprint: Fingerprint | None = None) -> int:
    """Propose a version; returns its number. Raises Problem 409 where the name is somebody else's."""
    with _alone(proposal.name), writing(engine) as connection:
        return baselining.pin(connection, actor, proposal, fingerprint, now())


@router.post("/{name}/today")
def pin_today(request: Request, actor: Acting, name: Name, body: Today) -> Pinned:
    """Pin each present host of a selector to what it runs now, approved in one go: a start without noise."""
    number, hosts = pin_each(engine_of(request), actor, name, body.of, body.reason)
    return Pinned(name=name, version=number, hosts=hosts)


def pin_each(engine: Engine, actor: Actor, name: str, of: str, reason: str) -> tuple[int, int]:
    """Pin each host to what it runs now; returns the version and how many hosts. Raises Problem 409 as `propose`."""
    with _alone(name), writing(engine) as connection:
        return baselining.pin_today(connection, actor, name, of, reason, now())


@router.post("/{name}/approve")
def approve_baseline(request: Request, actor: Acting, name: Name, body: Approval) -> BaselineAnswer:
    """Make the newest version the reference; 409 where a newer one was proposed, or it was decided about already."""
    approve(engine_of(request), actor, name, body.version)
    return show_baseline(request, actor, name)


def approve(engine: Engine, actor: Actor, name: str, version: int) -> None:
    """Make the newest version the reference; raises Problem 409 where it has moved on."""
    with writing(engine) as connection:
        if not baselining.approve(connection, actor, name, version, now()):
            raise _moved_on(name)


@router.post("/{name}/withdraw")
def withdraw_baseline(request: Request, actor: Acting, name: Name, body: Withdrawal) -> BaselineAnswer:
    """Take back a proposal, or the reference: then hosts are held against what most of their peers agree on."""
    withdraw(engine_of(request), actor, name, body.version, body.reason)
    return show_baseline(request, actor, name)


def withdraw(engine: Engine, actor: Actor, name: str, version: int, reason: str) -> None:
    """Take back a proposal, or the reference; raises Problem 409 where it has moved on."""
    with writing(engine) as connection:
        if not baselining.withdraw(connection, actor, name, version, reason, now()):
            raise _moved_on(name)


@router.delete("/{name}")
def remove_baseline(
    request: Request, actor: Acting, name: Name, version: Annotated[int, Query(ge=1, lt=2**31)]
) -> Removed:
    """Remove a baseline with all versions; `version` is the newest one that you saw."""
    remove(engine_of(request), actor, name, version)
    return Removed(removed=name)


def remove(engine: Engine, actor: Actor, name: str, newest: int) -> None:
    """Remove a baseline with all its versions; raises Problem 409 where a newer one was proposed."""
    with writing(engine) as connection:
        if not baselining.remove(connection, actor, name, newest, now()):
            raise _moved_on(name)


@contextmanager
def _alone(name: str) -> Iterator[None]:
    """Answer 409 where a name is somebody else's, or is pinned at this moment; nothing was done."""
    try:
        yield
    except Elsewhere as problem:
        raise Problem(HTTPStatus.CONFLICT, str(problem), problem.advice) from None
    except IntegrityError:
        told = f"somebody else pins {name} at this moment"
        raise Problem(HTTPStatus.CONFLICT, told, "look at it and try again") from None


def _moved_on(name: str) -> Problem:
    return Problem(
        HTTPStatus.CONFLICT,
        f"baseline {name} has moved on: this version is not its newest, or somebody decided about it already",
        f"look at it again: envparity baselines show {name}",
    )


def _answer(one: Baseline, versions: list[Version]) -> BaselineAnswer:
    return BaselineAnswer(
        name=one.name,
        applies_to=one.applies_to,
        environment=one.environment or None,
        approved=one.approved,
        newest=one.newest,
        created_at=one.created_at,
        versions=[_version(one, version) for version in versions if version.name == one.name],
    )


def _version(one: Baseline, version: Version) -> VersionAnswer:
    fields = {name: getattr(version, name) for name in VersionAnswer.model_fields if name != "state"}
    return VersionAnswer(state=state_of(one, version), **fields)


def state_of(one: Baseline, version: Version) -> Literal["proposed", "approved", "replaced", "withdrawn"]:
    """What became of a version."""
    if version.withdrawn_at:
        return "withdrawn"
    if version.number == one.approved:
        return "approved"
    return "replaced" if version.approved_at or one.newest > version.number else "proposed"
