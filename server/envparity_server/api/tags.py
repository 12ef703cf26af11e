"""Where the tags of running images point now, and which containers run something else."""

from collections import Counter
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import Field

from envparity_server.api.authentication import engine_of
from envparity_server.api.lists import Answer, Limit, Offset
from envparity_server.api.roles import Acting
from envparity_server.settings import ServerSettings
from envparity_server.storage.database import reading
from envparity_server.tags.in_use import InUse, in_use
from envparity_server.tags.judging import Moved

router = APIRouter(prefix="/api/v1/tags", tags=["tags"])

_MOST_CONTAINERS = 1000  # of one tag


class ContainerAnswer(Answer):
    """A container that does not run what its tag points at, or of which that is not known."""

    host: str = Field(description="Its id.", examples=["0123456789abcdef"])
    name: str = Field(examples=["web-7"])
    environment: str = Field(examples=["prod"])
    section: str = Field(examples=["container/shop.web"])
    moved: Moved
    why: str = Field(examples=["the manifest digest is not that of the tag's image"])


class CountsAnswer(Answer):
    """Containers, identical replicas on a host as one."""

    same: int = Field(description="They run what the tag points at.", examples=[211])
    moved: int = Field(description="The tag points at another image now.", examples=[1])
    unknown: int = Field(description="It cannot be told; never taken as the one or the other.", examples=[0])


class TagAnswer(Answer):
    """A tag that containers were started from."""

    reference: str = Field(examples=["docker.io/library/python:3.12"])
    digest: str | None = Field(
        description="What the tag points at, as the registry answered last.", examples=[f"sha256:{'0' * 64}"]
    )
    kind: str | None = Field(description="Of the digest: index or manifest.", examples=["index"])
    asked_at: datetime | None = Field(examples=["2026-11-01T02:00:00+00:00"])
    problem: str | None = Field(
        description="Why it was not asked, or what went wrong the last time; then nothing is said to have moved.",
        examples=["the setting registries does not name docker.io: not asked"],
    )
    counts: CountsAnswer
    containers: list[ContainerAnswer] = Field(description="Those that moved, then the unknown ones; at most 1,000.")


class TagsAnswer(Answer):
    """The tags in use, by reference."""

    tags: list[TagAnswer]
    total: int


@router.get("")
def list_tags(
    request: Request,
    acting: Acting,
    moved: Annotated[bool, Query(description="Only tags of which a container runs something else.")] = False,
    limit: Limit = 1000,
    offset: Offset = 0,
) -> TagsAnswer:
    """Where the tags point that containers were started from, as the server asked the registries.

    A reference by digest has no tag, and is not listed. `GET /api/v1/tags?moved=true`
    """
    settings: ServerSettings = request.app.state.settings
    with reading(engine_of(request)) as connection:
        listed = [
            one for one in in_use(connection, settings.registries, acting.environments) if "@" not in one.reference
        ]
    if moved:
        listed = [one for one in listed if any(judgement is Moved.MOVED for judgement, _ in one.judgements)]
    return TagsAnswer(tags=[_told(one) for one in listed[offset : offset + limit]], total=len(listed))


def _told(of: InUse) -> TagAnswer:
    counts = Counter(moved for moved, _ in of.judgements)
    told = [
        ContainerAnswer(
            host=one.host_id, name=one.host, environment=one.environment, section=one.section, moved=moved, why=why
        )
        for wanted in (Moved.MOVED, Moved.UNKNOWN)
        for one, (moved, why) in zip(of.running, of.judgements, strict=True)
        if moved == wanted
    ]
    return TagAnswer(
        reference=of.reference,
        digest=of.pointed.digest if of.pointed else None,
        kind=of.pointed.kind if of.pointed else None,
        asked_at=of.tag.asked_at if of.tag else None,
        problem=of.problem or None,
        counts=CountsAnswer(**{one.value: counts[one] for one in Moved}),
        containers=told[:_MOST_CONTAINERS],
    )
