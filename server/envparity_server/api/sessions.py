"""The sessions of people: who is logged in, and the end of it."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, ConfigDict

from envparity_server.api.authentication import engine_of, now
from envparity_server.api.lists import Limit, Offset, not_there
from envparity_server.api.roles import Acting
from envparity_server.storage import sessions
from envparity_server.storage.database import reading, writing

router = APIRouter(prefix="/api/v1", tags=["people"])

SessionId = Annotated[str, Path(pattern="^[0-9a-f]{16}$")]


class SessionAnswer(BaseModel):
    """A login that lasts."""

    model_config = ConfigDict(
        from_attributes=True,
        json_schema_extra={
            "examples": [
                {
                    "id": "0123456789abcdef", "person": "ada", "created_at": "2026-11-01T08:00:00+00:00",
                    "expires_at": "2026-11-15T08:00:00+00:00",
                }
            ]
        },
    )  # fmt: skip

    id: str
    person: str
    created_at: datetime
    expires_at: datetime


class SessionList(BaseModel):
    """Some sessions, and how many there are."""

    sessions: list[SessionAnswer]
    total: int


@router.get("/sessions")
def list_sessions(request: Request, actor: Acting, limit: Limit = 100, offset: Offset = 0) -> SessionList:
    """The sessions of the people whose environments the actor sees, the newest first."""
    with reading(engine_of(request)) as connection:
        found = sessions.listed(connection, actor, now())
    shown = [SessionAnswer.model_validate(one) for one in found[offset : offset + limit]]
    return SessionList(sessions=shown, total=len(found))


@router.delete("/sessions/{session_id}")
def revoke_session(request: Request, session_id: SessionId, actor: Acting) -> SessionAnswer:
    """End a session."""
    with writing(engine_of(request)) as connection:
        one = sessions.revoke(connection, actor, session_id, now())
    if one is None:
        raise not_there("session")
    return SessionAnswer.model_validate(one)
