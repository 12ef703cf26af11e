"""Environments: their hosts by state, and what each is meant to be like."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from sqlalchemy import Connection

from envparity_agent.errors import UsageError
from envparity_server.api.authentication import engine_of, now
from envparity_server.api.lists import NAME, Limit, Offset, not_there
from envparity_server.api.roles import Acting
from envparity_server.compare.selectors import parse_selector
from envparity_server.storage import audit, baselines, environments, hosts
from envparity_server.storage.actors import Actor
from envparity_server.storage.database import reading, writing
from envparity_server.storage.environments import Environment

router = APIRouter(prefix="/api/v1", tags=["environments"])

EnvironmentName = Annotated[str, Path(pattern=NAME, examples=["prod"])]


class Counts(BaseModel):
    """How many hosts are in which state."""

    fresh: int
    stale: int
    never: int = Field(description="Enrolled, and never reported.")
    expired: int = Field(description="Ephemeral, and past their end.")
    retired: int
    ephemeral: int = Field(description="Those of the first three that come and go.")


class EnvironmentAnswer(BaseModel):
    """A stage."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "test", "against": "env:prod", "created_at": "2026-10-01T08:00:00+00:00",
                    "hosts": {"fresh": 12, "stale": 1, "never": 0, "expired": 3, "retired": 2, "ephemeral": 4},
                }
            ]
        }
    )  # fmt: skip

    name: str
    against: str | None = Field(description="The selector that it is meant to be like; null: nobody said.")
    created_at: datetime
    hosts: Counts


class EnvironmentList(BaseModel):
    """Some environments, and how many there are."""

    environments: list[EnvironmentAnswer]
    total: int


class EnvironmentBody(BaseModel):
    """What an environment is meant to be like."""

    model_config = ConfigDict(frozen=True, extra="forbid", json_schema_extra={"examples": [{"against": "env:prod"}]})

    against: Annotated[str, StringConstraints(min_length=1, max_length=1024)] | None = None


def _answer(one: Environment) -> EnvironmentAnswer:
    counts = Counts(
        fresh=one.counts["fresh"],
        stale=one.counts["stale"],
        never=one.counts["never reported"],
        expired=one.counts["expired"],
        retired=one.counts["retired"],
        ephemeral=one.counts["ephemeral"],
    )
    return EnvironmentAnswer(name=one.name, against=one.against, created_at=one.created_at, hosts=counts)


@router.get("/environments")
def list_environments(request: Request, actor: Acting, limit: Limit = 100, offset: Offset = 0) -> EnvironmentList:
    """The environments with how their hosts stand."""
    with reading(engine_of(request)) as connection:
        found = environments.listed(connection, now(), actor.environments)
    return EnvironmentList(environments=[_answer(one) for one in found[offset : offset + limit]], total=len(found))


@router.get("/environments/{name}")
def show_environment(request: Request, name: EnvironmentName, actor: Acting) -> EnvironmentAnswer:
    """One environment."""
    with reading(engine_of(request)) as connection:
        found = environments.listed(connection, now(), frozenset({name}) if actor.sees(name) else frozenset())
    if not found:
        raise not_there("environment")
    return _answer(found[0])


@router.put("/environments/{name}")
def set_environment(request: Request, name: EnvironmentName, body: EnvironmentBody, actor: Acting) -> EnvironmentAnswer:
    """Make an environment, or say what it is meant to be like. A new one is for an actor who sees all of them."""
    moment = now()
    if not actor.sees(name):
        raise not_there("environment")
    with writing(engine_of(request)) as connection:
        known = environments.is_known(connection, name)
        if not known and actor.environments is not None:
            raise not_there("environment")
        if body.against is not None:
            _check(connection, body.against, moment, actor)
        environments.put(connection, name, body.against, moment)
        audit.write(
            connection,
            actor,
            "environment.set" if known else "environment.add",
            name,
            moment,
            name,
            against=body.against,
        )
        return _answer(environments.listed(connection, moment, frozenset({name}))[0])


def _check(connection: Connection, against: str, moment: datetime, actor: Actor) -> None:
    """Raise UsageError for what is no selector, or names what the actor may not see: drifts will tell what it has."""
    selector = parse_selector(against, moment)
    if actor.environments is None:
        return
    if selector.kind == "baseline":
        baselines.named(connection, selector.name, actor.environments)
    elif selector.kind == "host":
        # by its id: a name may be, or become, that of a host elsewhere
        if hosts.by_id(connection, selector.name, actor.environments) is None:
            raise UsageError(f"against: no host of the id {selector.name}", "name one that you see by its id")
    elif not actor.sees(selector.name):
        known = ", ".join(f"env:{one}" for one in hosts.environments(connection, actor.environments)) or "none"
        raise UsageError(f"against: no environment {selector.name}", f"known environments: {known}")
