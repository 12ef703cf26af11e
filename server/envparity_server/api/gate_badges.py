"""Badges of gates: made and taken away by operators; whoever has the address of one sees its picture, and no more."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from starlette.responses import Response

from envparity_server.api.authentication import MAX_TOKEN, engine_of, now
from envparity_server.api.badge_pictures import badge
from envparity_server.api.lists import Answer, Limit, Offset
from envparity_server.api.origins import address_of
from envparity_server.api.problems import Problem
from envparity_server.api.roles import Acting
from envparity_server.storage import gate_badges
from envparity_server.storage.database import reading, writing
from envparity_server.storage.gate_badges import Badge, Shown
from envparity_server.storage.gate_runs import MOST

router = APIRouter(tags=["gates"])

_MOST_AGAINST = 1024  # characters, as of every selector
_CACHED = 60  # seconds, by browsers and by what shows pictures of other sites
_SVG = "image/svg+xml"

_Name = Annotated[str, StringConstraints(min_length=1, max_length=MOST, pattern=r"^[^\x00]+$")]
_Ref = Annotated[str, StringConstraints(max_length=MOST, pattern=r"^[^\x00]*$")]
_Against = Annotated[str, StringConstraints(min_length=1, max_length=_MOST_AGAINST, pattern=r"^[^\x00]+$")]


class BadgeQuestion(BaseModel):
    """Whose newest verdict it shows."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    repository: _Name = Field(examples=["acme/shop"])
    ref: _Ref = Field("", description="Branch or tag; empty: runs that told none.", examples=["main"])
    against: _Against


class BadgeAnswer(Answer):
    """A badge, without its address."""

    repository: str = Field(examples=["acme/shop"])
    ref: str = Field(examples=["main"])
    against: str
    created_by: str
    created_at: datetime


class BadgesAnswer(Answer):
    """A list of badges."""

    badges: list[BadgeAnswer]
    total: int


class MadeBadge(Answer):
    """A badge that was just made."""

    repository: str = Field(examples=["acme/shop"])
    ref: str = Field(examples=["main"])
    against: str
    address: str = Field(
        description="Told this once: the server keeps a hash. Whoever has it sees the newest verdict and its age.",
        examples=["https://envparity.example/badges/MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY.svg"],
    )


class RemovedBadge(Answer):
    """What is no more."""

    removed: str = Field(examples=["acme/shop main against env:prod"])


@router.get("/api/v1/gate-badges")
def list_badges(request: Request, acting: Acting, limit: Limit = 200, offset: Offset = 0) -> BadgesAnswer:
    """The badges that show no more than one sees, never their addresses."""
    with reading(engine_of(request)) as connection:
        found = gate_badges.listed(connection, acting)
    return BadgesAnswer(badges=[_answer(one) for one in found[offset : offset + limit]], total=len(found))


@router.put("/api/v1/gate-badges")
def make_badge(request: Request, acting: Acting, body: BadgeQuestion) -> MadeBadge:
    """Make a badge of the newest run of a ref against a reference; the address of an earlier one ends."""
    shown = Shown(body.repository, body.ref, body.against)
    with writing(engine_of(request)) as connection:
        secret = gate_badges.make(connection, acting, shown, now())
    if secret is None:
        raise Problem(
            HTTPStatus.NOT_FOUND, f"no run of {_words(shown)}", "run the gate first, or list runs: envparity gates list"
        )
    return MadeBadge(**vars(shown), address=f"{address_of(request)}/badges/{secret}.svg")


@router.delete("/api/v1/gate-badges")
def remove_badge(
    request: Request,
    acting: Acting,
    repository: Annotated[_Name, Query(examples=["acme/shop"])],
    against: Annotated[_Against, Query(examples=["env:prod"])],
    ref: Annotated[_Ref, Query(examples=["main"])] = "",
) -> RemovedBadge:
    """Take a badge away: its address leads nowhere any more."""
    shown = Shown(repository, ref, against)
    with writing(engine_of(request)) as connection:
        if not gate_badges.remove(connection, acting, shown, now()):
            raise Problem(HTTPStatus.NOT_FOUND, f"no badge of {_words(shown)}", "list them: envparity gates badge")
    return RemovedBadge(removed=_words(shown))


@router.get(
    "/badges/{secret}.svg",
    response_class=Response,
    responses={200: {"content": {_SVG: {"schema": {"type": "string"}, "example": badge(None, datetime.min)}}}},
)
def show_badge(request: Request, secret: str) -> Response:
    """The picture of a badge, for whoever has its address."""
    secret = secret[:MAX_TOKEN] if secret.isascii() else ""
    with reading(engine_of(request)) as connection:
        known, run = gate_badges.run_of(connection, secret)
    if not known:
        raise Problem(HTTPStatus.NOT_FOUND, "there is no such badge", "an operator makes one: envparity gates badge")
    return Response(badge(run, now()), media_type=_SVG, headers={"Cache-Control": f"public, max-age={_CACHED}"})


def _answer(one: Badge) -> BadgeAnswer:
    return BadgeAnswer(**vars(one.shown), created_by=one.created_by, created_at=one.created_at)


def _words(shown: Shown) -> str:
    name = " ".join(part for part in (shown.repository, shown.ref) if part)
    return f"{name} against {shown.against}"
