"""Enrolment tokens: those with which agents enrol. Each is told once, when it is made."""

from datetime import datetime, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from envparity_server.api.authentication import engine_of, now
from envparity_server.api.lists import Limit, Name, Offset, environments_of, not_there
from envparity_server.api.people import allow
from envparity_server.api.roles import Acting
from envparity_server.api.tokens import Days, TokenId
from envparity_server.storage import tokens
from envparity_server.storage.database import reading, writing
from envparity_server.storage.tokens import EnrolmentToken

router = APIRouter(prefix="/api/v1", tags=["tokens"])

MOST_USES = 100_000


class EnrolmentTokenAnswer(BaseModel):
    """An enrolment token, without what it is."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "0123456789abcdef", "environment": "prod", "uses_left": 49, "host_hours": None,
                    "state": "valid", "created_by": "person:ada", "expires_at": "2026-12-01T08:00:00+00:00",
                    "revoked_at": None,
                }
            ]
        }
    )  # fmt: skip

    id: str
    environment: str | None = Field(description="The one that it enrols into; null: the agent says which.")
    uses_left: int
    host_hours: float | None = Field(description="How long its hosts last: they are ephemeral; null: they stay.")
    state: Literal["valid", "used up", "expired", "revoked"]
    created_by: str
    expires_at: datetime
    revoked_at: datetime | None


class MadeEnrolmentToken(EnrolmentTokenAnswer):
    """An enrolment token that was just made."""

    token: str = Field(description="Told this once: the server keeps a hash.")


class EnrolmentTokenList(BaseModel):
    """Some enrolment tokens, and how many there are."""

    enrolment_tokens: list[EnrolmentTokenAnswer]
    total: int


class NewEnrolmentToken(BaseModel):
    """An enrolment token to make."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", json_schema_extra={"examples": [{"environment": "prod", "uses": 50, "days": 7}]}
    )

    environment: Name | None = None
    uses: Annotated[int, Field(ge=1, le=MOST_USES)] = 1
    days: Days = 7
    host_hours: Annotated[
        int | None, Field(ge=1, le=87600, description="Its hosts are ephemeral, and last as long.")
    ] = None


def _answer(one: EnrolmentToken, moment: datetime) -> EnrolmentTokenAnswer:
    return EnrolmentTokenAnswer(
        id=one.id,
        environment=one.environment,
        uses_left=one.uses_left,
        host_hours=None if one.host_life is None else one.host_life / timedelta(hours=1),
        state=one.state(moment),  # type: ignore[arg-type]  # one of four
        created_by=one.created_by,
        expires_at=one.expires_at,
        revoked_at=one.revoked_at,
    )


@router.get("/enrolment-tokens")
def list_enrolment_tokens(
    request: Request, actor: Acting, limit: Limit = 100, offset: Offset = 0
) -> EnrolmentTokenList:
    """The enrolment tokens that reach no further than the actor does, never what they are."""
    moment = now()
    with reading(engine_of(request)) as connection:
        found = tokens.enrolment_tokens(connection, actor)
    shown = [_answer(one, moment) for one in found[offset : offset + limit]]
    return EnrolmentTokenList(enrolment_tokens=shown, total=len(found))


@router.post("/enrolment-tokens")
def make_enrolment_token(request: Request, body: NewEnrolmentToken, actor: Acting) -> MadeEnrolmentToken:
    """Make a token with which agents enrol."""
    moment, life = now(), timedelta(days=body.days)
    allow(actor, actor.role, environments_of(None if body.environment is None else [body.environment]))
    host_life = None if body.host_hours is None else timedelta(hours=body.host_hours)
    with writing(engine_of(request)) as connection:
        token, made = tokens.add_enrolment_token(
            connection, actor, body.environment, body.uses, life, host_life, moment
        )
    return MadeEnrolmentToken(**_answer(made, moment).model_dump(), token=token)


@router.delete("/enrolment-tokens/{token_id}")
def revoke_enrolment_token(request: Request, token_id: TokenId, actor: Acting) -> EnrolmentTokenAnswer:
    """Let no more hosts enrol by a token; those that did stay. Again changes nothing."""
    moment = now()
    with writing(engine_of(request)) as connection:
        one = tokens.revoke_enrolment_token(connection, actor, token_id, moment)
    if one is None:
        raise not_there("token")
    return _answer(one, moment)
