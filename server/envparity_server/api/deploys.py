"""Markers of deploys: a pipeline says when one begins and ends, so that it is not told as drift."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from sqlalchemy import Connection

from envparity_agent.errors import UsageError
from envparity_server.api.authentication import engine_of, now
from envparity_server.api.lists import Limit
from envparity_server.api.problems import Problem
from envparity_server.api.roles import Acting
from envparity_server.compare.selectors import Selector, parse_selector
from envparity_server.selection import environment_of
from envparity_server.storage import audit, deploys, hosts
from envparity_server.storage.actors import Actor
from envparity_server.storage.database import reading, writing
from envparity_server.storage.deploys import Deploy

router = APIRouter(prefix="/api/v1/deploys", tags=["deploys"])

DeployId = Annotated[str, Path(pattern="^[0-9a-f]{16}$", examples=["0d1e5b7a863f2a9c"])]
_Hosts = Annotated[
    str,
    StringConstraints(min_length=1, max_length=1024, pattern=r"^[^\x00]+$"),
    Field(description="Of one environment.", examples=["env:prod,role=web"]),
]


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Beginning(_Body):
    """A deploy begins on the hosts of a selector."""

    hosts: _Hosts
    name: Annotated[str, StringConstraints(max_length=255, pattern=r"^[^\x00]*$")] = Field("", examples=["shop 1.5.0"])
    link: Annotated[str, StringConstraints(max_length=1024, pattern=r"^(https?://[^\x00\s]+)?$")] = Field(
        "", examples=["https://ci.example/shop/runs/512"]
    )


class Ending(_Body):
    """The deploys of a selector end."""

    hosts: _Hosts


class DeployAnswer(BaseModel):
    """A deploy."""

    id: str
    hosts: str
    environment: str
    name: str
    link: str
    begun_at: datetime
    ended_at: datetime | None = Field(description="null while it lasts; after a day it is over all the same.")
    begun_by: str


class DeploysAnswer(BaseModel):
    """A list of deploys."""

    deploys: list[DeployAnswer]
    total: int


@router.get("")
def list_deploys(request: Request, acting: Acting, limit: Limit = 200) -> DeploysAnswer:
    """The newest deploys of the environments one sees."""
    with reading(engine_of(request)) as connection:
        return _answer(deploys.listed(connection, acting.environments, limit=limit))


@router.post("", status_code=HTTPStatus.CREATED)
def begin_deploy(request: Request, acting: Acting, body: Beginning) -> DeployAnswer:
    """A deploy begins; the same again before its end is the same one."""
    moment = now()
    with writing(engine_of(request)) as connection:
        selector = _selector(body.hosts, moment)
        environment = _environment(connection, selector, acting)
        made = deploys.begin(connection, body.hosts, environment, body.name, body.link, acting.name, moment)
        if made.begun_at == moment:
            detail = {"hosts": made.hosts, "name": made.name, "link": made.link}
            audit.write(connection, acting, "deploy.begin", made.id, moment, environment, **detail)
    return DeployAnswer(**vars(made))


@router.post("/{id}/end")
def end_deploy(request: Request, acting: Acting, id: DeployId) -> DeployAnswer:
    """A deploy is over: what it left behind is told once it settled."""
    with writing(engine_of(request)) as connection:
        found = deploys.by_id(connection, id)
        if found is None or not acting.sees(found.environment):
            raise Problem(HTTPStatus.NOT_FOUND, f"no deploy {id}", "its id is what `envparity deploy begin` printed")
        return DeployAnswer(**vars(_ended(connection, [found], acting)[0]))


@router.post("/end")
def end_deploys(request: Request, acting: Acting, body: Ending) -> DeploysAnswer:
    """The deploys of a selector that last are over."""
    with writing(engine_of(request)) as connection:
        found = deploys.listed(connection, acting.environments, body.hosts, lasting=True)
        if not found:
            advice = "name it as at its beginning, or give the id that `envparity deploy begin` printed"
            raise Problem(HTTPStatus.NOT_FOUND, f"no deploy to {body.hosts} lasts", advice)
        return _answer(_ended(connection, found, acting))


def _ended(connection: Connection, found: list[Deploy], acting: Actor) -> list[Deploy]:
    moment = now()
    deploys.end(connection, [one.id for one in found], moment)
    for one in found:
        if one.ended_at is None:
            audit.write(connection, acting, "deploy.end", one.id, moment, one.environment, hosts=one.hosts)
    ended = (deploys.by_id(connection, one.id) for one in found)
    return [one for one in ended if one]


def _selector(text: str, moment: datetime) -> Selector:
    selector = parse_selector(text, moment)
    if selector.kind == "baseline" or selector.moment or selector.section:
        raise UsageError(
            f"{text!r} does not name hosts as they are now", "a deploy is to env:prod,role=web or host:NAME"
        )
    return selector


def _environment(connection: Connection, selector: Selector, acting: Actor) -> str:
    """The one environment that a deploy is to."""
    found = environment_of(connection, selector, acting.environments)
    if found is None:
        raise UsageError(f"{selector.text!r} is of several environments", "mark a deploy to each of them")
    known = hosts.environments(connection, acting.environments)
    if found not in known:
        advice = f"known environments: {', '.join(f'env:{one}' for one in known) or 'none'}"
        raise UsageError(f"no environment {found}", advice)
    return found


def _answer(found: list[Deploy]) -> DeploysAnswer:
    return DeploysAnswer(deploys=[DeployAnswer(**vars(one)) for one in found], total=len(found))
