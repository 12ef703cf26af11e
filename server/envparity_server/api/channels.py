"""Channels: where notifications go, a test of each, and the log of what was delivered."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection

from envparity_server.api.authentication import engine_of, now
from envparity_server.api.compare_documents import JsonSchema
from envparity_server.api.lists import Limit, Offset
from envparity_server.api.openapi import documented
from envparity_server.api.problems import Problem
from envparity_server.api.roles import Acting
from envparity_server.compare.model import Severity
from envparity_server.notify import managing, queue, schema
from envparity_server.notify.routing import environment_of
from envparity_server.notify.senders import check_address, masked
from envparity_server.settings import ServerSettings
from envparity_server.storage import channels, deliveries
from envparity_server.storage.actors import Actor
from envparity_server.storage.channels import Channel
from envparity_server.storage.database import reading, writing
from envparity_server.storage.deliveries import Delivery

router = APIRouter(prefix="/api/v1", tags=["notifications"])

SeverityWord = Literal["info", "low", "medium", "high", "critical"]
Text = Annotated[str, Field(max_length=1024, pattern=r"^[^\x00]*$")]
Hosts = Annotated[Text, Field(description="a selector; empty for all hosts", examples=["env:prod,role=web"])]


class NewChannel(BaseModel):
    """A channel that is to be added."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[Text, Field(examples=["ops"])]
    kind: Annotated[Text, Field(examples=["webhook"])]
    address: Annotated[Text, Field(examples=["https://hooks.example.com/envparity"])]
    hosts: Hosts = ""
    severity: SeverityWord = "medium"


class ChangedChannel(BaseModel):
    """What is to be changed of a channel; what is not named stays."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    address: Annotated[Text | None, Field(examples=["https://hooks.example.com/envparity"])] = None
    hosts: Hosts | None = None
    severity: SeverityWord | None = None
    enabled: bool | None = None


class ShownChannel(BaseModel):
    """A channel as it is shown: never its whole address, which may be a secret."""

    name: str
    kind: str
    address: Annotated[str, Field(examples=["https://hooks.example.com/…"])]
    hosts: str
    severity: str
    enabled: bool
    created_by: str
    created_at: datetime


class AddedChannel(ShownChannel):
    """A new channel, and what signs its deliveries: shown this once."""

    secret: str | None


class Channels(BaseModel):
    """A page of channels."""

    channels: list[ShownChannel]
    total: int


class Tested(BaseModel):
    """How a test ended."""

    delivered: bool
    words: Annotated[str, Field(examples=["ops did not get it: the receiver answered 404"])]


class ShownDelivery(BaseModel):
    """One notification on its way to one channel."""

    id: str
    channel: str
    drift: str | None
    event: str
    title: str
    state: Annotated[str, Field(description=", ".join(deliveries.STATES))]
    tries: int
    problem: str | None
    made_at: datetime
    due_at: datetime | None
    delivered_at: datetime | None


class Deliveries(BaseModel):
    """A page of the log."""

    deliveries: list[ShownDelivery]
    total: int


@router.get("/schemas/notification", **documented(JsonSchema))
def notification_schema() -> dict[str, Any]:
    """The JSON Schema of a webhook's body."""
    return schema.notification()


@router.get("/channels")
def list_channels(request: Request, acting: Acting, limit: Limit = 100, offset: Offset = 0) -> Channels:
    """The channels of the environments that the asker sees."""
    with reading(engine_of(request)) as connection:
        seen = _seen(connection, acting)
    return Channels(channels=[_shown(one) for one in seen[offset : offset + limit]], total=len(seen))


@router.post("/channels", status_code=HTTPStatus.CREATED)
def add_channel(request: Request, acting: Acting, body: NewChannel) -> AddedChannel:
    """Add a channel. Its address is looked up, and refused where notifications may not go; `secret` is shown once."""
    check_address(body.kind, body.address, _settings(request).webhook_networks)
    moment = now()
    new = managing.planned(
        acting, body.name, body.kind, body.address, body.hosts, Severity[body.severity.upper()], moment
    )
    _require(acting, new)
    with writing(engine_of(request)) as connection:
        if channels.by_name(connection, new.name):
            raise Problem(HTTPStatus.CONFLICT, f"there is a channel {new.name} already", "choose another name")
        managing.add(connection, acting, new, moment)
    return AddedChannel(**_shown(new).model_dump(), secret=new.secret or None)


@router.get("/channels/{name}")
def show_channel(request: Request, acting: Acting, name: str) -> ShownChannel:
    """One channel."""
    with reading(engine_of(request)) as connection:
        return _shown(_found(connection, acting, name))


@router.patch("/channels/{name}")
def change_channel(request: Request, acting: Acting, name: str, body: ChangedChannel) -> ShownChannel:
    """Change a channel; while it is disabled it is told nothing, and what it has not got yet is given up."""
    with reading(engine_of(request)) as connection:
        one = _found(connection, acting, name)
    changed = body.model_dump(exclude_none=True)
    if body.address is not None:
        check_address(one.kind, body.address, _settings(request).webhook_networks)
    if body.severity is not None:
        changed["severity"] = Severity[body.severity.upper()]
    moment = now()
    _require(acting, replace(one, hosts=one.hosts if body.hosts is None else body.hosts))
    with writing(engine_of(request)) as connection:
        return _shown(managing.change(connection, acting, _found(connection, acting, name), changed, moment))


@router.delete("/channels/{name}")
def remove_channel(request: Request, acting: Acting, name: str) -> ShownChannel:
    """Remove a channel with its log; answers with what it was."""
    with writing(engine_of(request)) as connection:
        one = _found(connection, acting, name)
        managing.remove(connection, acting, one, now())
    return _shown(one)


@router.post("/channels/{name}/test")
def try_channel(request: Request, acting: Acting, name: str) -> Tested:
    """Send a test at once, and say how it ended."""
    settings = _settings(request)
    with reading(engine_of(request)) as connection:
        one = _found(connection, acting, name)
    outcome = queue.send_test(engine_of(request), one, now(), settings.webhook_networks, settings.public_url)
    return Tested(delivered=outcome.delivered, words=outcome.words)


@router.get("/deliveries")
def list_deliveries(
    request: Request,
    acting: Acting,
    channel: Annotated[str | None, Query(max_length=63)] = None,
    state: Literal["waiting", "retrying", "delivered", "given up"] | None = None,
    limit: Limit = 100,
    offset: Offset = 0,
) -> Deliveries:
    """The newest deliveries: what was told to whom, how often it was tried, and what went wrong."""
    with reading(engine_of(request)) as connection:
        named = [one.name for one in ([_found(connection, acting, channel)] if channel else _seen(connection, acting))]
        found, total = deliveries.log(connection, named, state, limit, offset)
    return Deliveries(deliveries=[_logged(one) for one in found], total=total)


def _settings(request: Request) -> ServerSettings:
    settings: ServerSettings = request.app.state.settings
    return settings


def _seen(connection: Connection, acting: Actor) -> Sequence[Channel]:
    return [one for one in channels.all_channels(connection) if acting.sees(environment_of(one))]


def _found(connection: Connection, acting: Actor, name: str) -> Channel:
    """A channel that the asker sees; raises Problem 404 for any other, whether it is there or not."""
    one = channels.by_name(connection, name) if "\0" not in name else None
    if one is None or not acting.sees(environment_of(one)):
        raise Problem(HTTPStatus.NOT_FOUND, "there is no such channel", "GET /api/v1/channels lists them")
    return one


def _require(acting: Actor, one: Channel) -> None:
    """Raise Problem 403 for a channel that tells of hosts that the asker does not see."""
    if not acting.sees(environment_of(one)):
        raise Problem(
            HTTPStatus.FORBIDDEN, "these hosts are beyond your environments", "name one that you see: env:NAME"
        )


def _shown(one: Channel) -> ShownChannel:
    return ShownChannel(
        name=one.name,
        kind=one.kind,
        address=masked(one.address),
        hosts=one.hosts,
        severity=Severity(one.severity).word,
        enabled=one.enabled,
        created_by=one.created_by,
        created_at=one.created_at,
    )


def _logged(one: Delivery) -> ShownDelivery:
    return ShownDelivery(
        id=one.id,
        channel=one.channel,
        drift=one.drift,
        event=one.event,
        title=one.title,
        state=one.state,
        tries=one.tries,
        problem=one.problem,
        made_at=one.made_at,
        due_at=one.due_at,
        delivered_at=one.delivered_at,
    )
