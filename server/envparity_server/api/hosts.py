"""Hosts: who they are and how they stand, other names and labels for them, and the end of one."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from sqlalchemy import Connection

from envparity_agent.errors import UsageError
from envparity_server.api.authentication import engine_of, now
from envparity_server.api.lists import Limit, Name, Offset, not_there
from envparity_server.api.roles import Acting
from envparity_server.storage import audit, environments, hosts, rules
from envparity_server.storage.actors import Actor
from envparity_server.storage.clones import clones
from envparity_server.storage.database import reading, writing

router = APIRouter(prefix="/api/v1", tags=["hosts"])

MAX_LABELS = 64

HostId = Annotated[str, Path(max_length=64, pattern="^[0-9a-f]+$", description="The id that it got at enrolment.")]
Text = Annotated[str, Query(max_length=255)]
State = Literal["fresh", "stale", "never reported", "expired", "retired"]


class HostAnswer(BaseModel):
    """A host and its last report."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "0123456789abcdef", "name": "web-1", "environment": "prod", "labels": {"role": "web"},
                    "state": "fresh", "root": "sha256:" + "0" * 64, "seen_at": "2026-11-01T12:00:00+00:00",
                    "agent": "0.2.0", "interval": 900, "skew": 0, "enrolled_at": "2026-10-01T08:00:00+00:00",
                    "ephemeral": False, "expires_at": None, "retired_at": None, "notes": [],
                }
            ]
        }
    )  # fmt: skip

    id: str
    name: str
    environment: str
    labels: dict[str, str]
    state: State
    root: str | None = Field(description="Of its last fingerprint; null before the first report.")
    seen_at: datetime | None = Field(description="When the server accepted its last report.")
    agent: str | None = Field(description="The agent's version.")
    interval: int = Field(description="Seconds between two reports; stale after three of them.")
    skew: int | None = Field(description="Seconds that its clock is ahead; null before the first report.")
    enrolled_at: datetime
    ephemeral: bool = Field(description="Comes and goes: it never votes, and its credential ends by itself.")
    expires_at: datetime | None = Field(description="When the credential of an ephemeral host ends.")
    retired_at: datetime | None
    notes: list[str] = Field(description="What a person should know: another host has the same machine id.")


class HostList(BaseModel):
    """Some hosts, and how many there are."""

    hosts: list[HostAnswer]
    total: int


class HostChange(BaseModel):
    """What is left out stays as it is; a label that is null is taken away."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        json_schema_extra={"examples": [{"name": "web-01", "labels": {"role": "web", "zone": None}}]},
    )

    name: Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=r"^[^\x00]*$")] | None = None
    environment: Name | None = None
    labels: Annotated[dict[Name, Name | None], Field(max_length=MAX_LABELS)] | None = None


def _answer(one: hosts.Host, moment: datetime, notes: Mapping[str, str]) -> HostAnswer:
    return HostAnswer(
        id=one.id,
        name=one.name,
        environment=one.environment,
        labels=dict(one.labels),
        state=one.state(moment),  # type: ignore[arg-type]  # one of hosts.STATES
        root=f"sha256:{one.root}" if one.root else None,
        seen_at=one.seen_at,
        agent=one.agent,
        interval=one.interval,
        skew=one.skew,
        enrolled_at=one.enrolled_at,
        ephemeral=one.ephemeral,
        expires_at=one.credential_expires_at,
        retired_at=one.retired_at,
        notes=[notes[one.id]] if one.id in notes else [],
    )


@router.get("/hosts")
def list_hosts(
    request: Request,
    actor: Acting,
    environment: Annotated[Text, Query(description="Those of one environment.")] = "",
    label: Annotated[
        list[Text], Query(max_length=MAX_LABELS, description="Those with all of these labels: role=web.")
    ] = [],  # noqa: B006  # the framework's way to say it; nothing changes it
    state: Annotated[State | None, Query(description="Those in one state; expired and retired ones only so.")] = None,
    name: Annotated[Text, Query(description="Those of this very name or id; retired ones by their id.")] = "",
    q: Annotated[Text, Query(description="Those whose name, environment or label has these words.")] = "",
    limit: Limit = 100,
    offset: Offset = 0,
) -> HostList:
    """Hosts with their last report; those that are gone on purpose only where their state is asked for."""
    moment = now()
    labels = dict(map(_label, label))
    with reading(engine_of(request)) as connection:
        everyone = hosts.all_hosts(connection, actor.environments, retired=state == "retired")
        chosen = hosts.named(connection, name, actor.environments) if name else everyone
    found = [
        one
        for one in chosen
        if (one.state(moment) == state if state else name or one.state(moment) not in hosts.GONE)
        and environment in ("", one.environment)
        and labels.items() <= one.labels.items()
        and hosts.matches(one, q)
    ]
    notes = clones(everyone)
    return HostList(hosts=[_answer(one, moment, notes) for one in found[offset : offset + limit]], total=len(found))


def _label(text: str) -> tuple[str, str]:
    key, separator, value = text.partition("=")
    if not key or not separator or not value:
        raise UsageError(f"{text[:80]!r} is not a label", "a label is KEY=VALUE: role=web")
    return key, value


@router.get("/hosts/{host_id}")
def show_host(request: Request, host_id: HostId, actor: Acting) -> HostAnswer:
    """One host, retired or not."""
    with reading(engine_of(request)) as connection:
        return _shown(connection, _known(connection, host_id, actor), actor)


def _known(connection: Connection, host_id: str, actor: Actor, lock: bool = False) -> hosts.Host:
    found = hosts.by_id(connection, host_id, actor.environments, lock)
    if found is None:
        raise not_there("host")
    return found


def _shown(connection: Connection, one: hosts.Host, actor: Actor) -> HostAnswer:
    return _answer(one, now(), clones(hosts.all_hosts(connection, actor.environments)))


@router.patch("/hosts/{host_id}")
def change_host(request: Request, host_id: HostId, body: HostChange, actor: Acting) -> HostAnswer:
    """Give a host another name or environment, or labels. Its history stays with it."""
    with writing(engine_of(request)) as connection:
        changed(connection, host_id, body, actor)
        return _shown(connection, _known(connection, host_id, actor), actor)


def changed(connection: Connection, host_id: str, body: HostChange, actor: Actor) -> None:
    """Change a host, and say so in the audit log; raises UsageError, and Problem for one that is not there."""
    before = _known(connection, host_id, actor, lock=True)
    wanted = _differing(before, body)
    where = wanted.get("environment", before.environment)
    if where != before.environment and not environments.is_known(connection, where, actor.environments):
        known = ", ".join(hosts.environments(connection, actor.environments))
        raise UsageError(
            f"there is no environment {where}", f"known: {known}; a new one: envparity environments set {where}"
        )
    if wanted:
        hosts.change(connection, host_id, **wanted)
        if where != before.environment:
            rules.move(connection, host_id, where)
        told = {key: getattr(before, key) for key in wanted}
        audit.write(connection, actor, "host.change", host_id, now(), where, before=told, after=wanted)


def _differing(before: hosts.Host, body: HostChange) -> dict[str, Any]:
    """What a change really changes; raises UsageError for more labels than a host may have."""
    wanted: dict[str, Any] = {"name": body.name, "environment": body.environment}
    if body.labels is not None:
        merged = {**before.labels, **body.labels}
        wanted["labels"] = {key: value for key, value in merged.items() if value is not None}
        if len(wanted["labels"]) > MAX_LABELS:
            raise UsageError(f"a host has at most {MAX_LABELS} labels")
    return {key: value for key, value in wanted.items() if value not in (None, getattr(before, key))}


@router.post("/hosts/{host_id}/retire")
def retire_host(request: Request, host_id: HostId, actor: Acting) -> HostAnswer:
    """End a host: its credential is revoked, no selector names it, its history stays. Again changes nothing."""
    with writing(engine_of(request)) as connection:
        retired(connection, host_id, actor)
        return _shown(connection, _known(connection, host_id, actor), actor)


def retired(connection: Connection, host_id: str, actor: Actor) -> None:
    """End a host, and say so in the audit log; raises Problem for one that is not there."""
    before, moment = _known(connection, host_id, actor, lock=True), now()
    if before.retired_at is None:
        hosts.retire(connection, host_id, moment)
        audit.write(connection, actor, "host.retire", host_id, moment, before.environment, name=before.name)
