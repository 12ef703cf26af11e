"""Access tokens: those of pipelines and programs. Each is told once, when it is made."""

from datetime import datetime, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from envparity_server.api.authentication import engine_of, now
from envparity_server.api.lists import Limit, Offset, Scope, environments_of, not_there
from envparity_server.api.people import allow
from envparity_server.api.roles import Acting
from envparity_server.storage import tokens
from envparity_server.storage.actors import Role, stored
from envparity_server.storage.database import reading, writing
from envparity_server.storage.tokens import AccessToken

router = APIRouter(prefix="/api/v1", tags=["tokens"])

TokenId = Annotated[str, Path(pattern="^[0-9a-f]{16}$")]
Days = Annotated[int, Field(ge=1, le=3650, description="How long it is valid.")]


class AccessTokenAnswer(BaseModel):
    """A token of a role, without what it is."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "0123456789abcdef", "name": "github", "role": "ci", "environments": ["prod"],
                    "state": "valid", "created_at": "2026-11-01T08:00:00+00:00", "created_by": "person:ada",
                    "expires_at": "2026-12-01T08:00:00+00:00", "last_used_at": None, "revoked_at": None,
                }
            ]
        }
    )  # fmt: skip

    id: str
    name: str
    role: Role
    environments: list[str] | None
    state: Literal["valid", "expired", "revoked"]
    created_at: datetime
    created_by: str
    expires_at: datetime
    last_used_at: datetime | None = Field(description="To the hour.")
    revoked_at: datetime | None


class MadeAccessToken(AccessTokenAnswer):
    """A token that was just made."""

    token: str = Field(description="Told this once: the server keeps a hash.")


class AccessTokenList(BaseModel):
    """Some tokens, and how many there are."""

    tokens: list[AccessTokenAnswer]
    total: int


class NewAccessToken(BaseModel):
    """A token to make."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        json_schema_extra={"examples": [{"role": "ci", "name": "github", "environments": ["prod"], "days": 365}]},
    )

    role: Role
    name: Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[^\x00]*$")]
    environments: Scope = None
    days: Days = 90


def _answer(one: AccessToken, moment: datetime) -> AccessTokenAnswer:
    return AccessTokenAnswer(
        id=one.id,
        name=one.name,
        role=one.role,
        environments=stored(one.environments),
        state=one.state(moment),  # type: ignore[arg-type]  # one of three
        created_at=one.created_at,
        created_by=one.created_by,
        expires_at=one.expires_at,
        last_used_at=one.last_used_at,
        revoked_at=one.revoked_at,
    )


@router.get("/tokens")
def list_tokens(request: Request, actor: Acting, limit: Limit = 100, offset: Offset = 0) -> AccessTokenList:
    """The access tokens that reach no further than the actor does, never what they are."""
    moment = now()
    with reading(engine_of(request)) as connection:
        found = tokens.access_tokens(connection, actor)
    return AccessTokenList(tokens=[_answer(one, moment) for one in found[offset : offset + limit]], total=len(found))


@router.post("/tokens")
def make_token(request: Request, body: NewAccessToken, actor: Acting) -> MadeAccessToken:
    """Make an access token."""
    moment, environments, life = now(), environments_of(body.environments), timedelta(days=body.days)
    allow(actor, body.role, environments)
    with writing(engine_of(request)) as connection:
        token, made = tokens.add_access_token(connection, actor, body.role, body.name, environments, life, moment)
    return MadeAccessToken(**_answer(made, moment).model_dump(), token=token)


@router.delete("/tokens/{token_id}")
def revoke_token(request: Request, token_id: TokenId, actor: Acting) -> AccessTokenAnswer:
    """End an access token. Again changes nothing."""
    moment = now()
    with writing(engine_of(request)) as connection:
        one = tokens.revoke_access_token(connection, actor, token_id, moment)
    if one is None:
        raise not_there("token")
    return _answer(one, moment)
