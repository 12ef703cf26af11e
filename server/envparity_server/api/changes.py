"""What changed on hosts, by time: the timeline."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import Field
from sqlalchemy import Connection

from envparity_agent.errors import UsageError
from envparity_agent.fingerprint import Value
from envparity_server.api.authentication import engine_of, now
from envparity_server.api.lists import Answer, Limit, Offset, Text
from envparity_server.api.moments import Between, MomentText, between
from envparity_server.api.roles import Acting
from envparity_server.compare.selectors import parse_moment, parse_selector
from envparity_server.selection import chosen
from envparity_server.storage import changes, hosts
from envparity_server.storage.actors import Actor
from envparity_server.storage.changes import Change
from envparity_server.storage.database import reading
from envparity_server.storage.hosts import Host

router = APIRouter(prefix="/api/v1", tags=["changes"])

UNSEEN = "what lived only between two reports of its host, a short-lived container, is not seen"
UNKNOWN = "actor unknown"


class ChangeAnswer(Answer):
    """One difference between two reports of a host."""

    id: int
    host: str = Field(description="Its id.", examples=["0123456789abcdef"])
    name: str = Field(examples=["web-7"])
    environment: str = Field(examples=["prod"])
    section: str | None = Field(description="None: a report had more changes than are kept.", examples=["os-packages"])
    kind: str | None = Field(examples=["os-packages"])
    item: str | None = Field(description="None: the whole section.", examples=["openssl"])
    attribute: str | None = Field(examples=["version"])
    state: str = Field(description="changed, only_left (it went) or only_right (it came).", examples=["changed"])
    left: Value = Field(examples=["3.0.11-1~deb12u2"])
    right: Value = Field(examples=["3.0.15-1~deb12u1"])
    distance: str | None = Field(examples=["patch"])
    severity: str = Field(examples=["low"])
    words: str = Field(examples=["3.0.11-1~deb12u2 → 3.0.15-1~deb12u1"])
    actor: str = Field(
        description="Who, where a log of the host names one.", examples=["apt upgrade (by ada)", UNKNOWN]
    )
    when: Between


class ChangesAnswer(Answer):
    """What changed, the newest first."""

    changes: list[ChangeAnswer]
    total: int
    notes: list[str] = Field(examples=[[UNSEEN]])


@router.get("/changes")
def list_changes(
    request: Request,
    acting: Acting,
    of: Annotated[Text, Query(description="A selector; all hosts by default.", examples=["env:prod,role=web"])] = "",
    since: Annotated[MomentText, Query()] = "",
    until: Annotated[MomentText, Query()] = "",
    section: Annotated[Text, Query(description="A path: with all that is below it.", examples=["python"])] = "",
    item: Annotated[Text, Query(description="An item's name, or a glob of * and ?.", examples=["openssl"])] = "",
    limit: Limit = 200,
    offset: Offset = 0,
) -> ChangesAnswer:
    """What reports had first in a time, the newest first; a moment of the selector is the end of it.

    `GET /api/v1/changes?of=env:prod&since=2026-11-01T02:00`
    """
    with reading(engine_of(request)) as connection:
        named, moment, of_section = _named(connection, of, acting)
        begin = parse_moment(since, now()) if since else None
        end = parse_moment(until, now()) if until else moment
        found, total = changes.of_hosts(connection, named, begin, end, limit, offset, section or of_section, item)
    return ChangesAnswer(changes=[_change(one, named[one.host_id]) for one in found], total=total, notes=[UNSEEN])


def _named(connection: Connection, of: str, acting: Actor) -> tuple[dict[str, Host], datetime | None, str]:
    """The hosts of a selector by id, its moment, and its section; raises UsageError, CannotTell."""
    if not of:
        return {one.id: one for one in hosts.all_hosts(connection, acting.environments)}, None, ""
    selector = parse_selector(of, now())
    if selector.kind == "baseline":
        raise UsageError(f"{of!r} names no hosts", "a baseline's versions are told by: envparity baselines show NAME")
    found = chosen(connection, selector, acting.environments)
    return {one.id: one for one in found}, selector.moment, selector.section


def _change(one: Change, host: Host) -> ChangeAnswer:
    return ChangeAnswer(
        id=one.id, host=host.id, name=host.name, environment=host.environment, section=one.section or None,
        kind=one.kind or None, item=one.item or None, attribute=one.attribute or None, state=str(one.state),
        left=one.left, right=one.right, distance=str(one.distance) if one.distance else None,
        severity=one.severity.word, words=one.words, actor=one.actor or UNKNOWN, when=between(one.after, one.before),
    )  # fmt: skip
