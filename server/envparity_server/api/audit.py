"""The audit log: who decided what, and when. It is read here, and written by what is decided."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from envparity_server.api.authentication import engine_of
from envparity_server.api.lists import Limit
from envparity_server.api.roles import Acting
from envparity_server.storage import audit
from envparity_server.storage.database import reading

router = APIRouter(prefix="/api/v1", tags=["audit"])


class EntryAnswer(BaseModel):
    """One decision."""

    model_config = ConfigDict(
        from_attributes=True,
        json_schema_extra={
            "examples": [
                {
                    "id": 7, "at": "2026-11-01T08:00:00+00:00", "actor": "person:ada", "action": "host.retire",
                    "object": "0123456789abcdef", "environment": "prod", "detail": {"name": "web-1"},
                }
            ]
        },
    )  # fmt: skip

    id: int
    at: datetime
    actor: str = Field(description="person:NAME, token:NAME, host:ID, enrolment:ID, or local:USER at the server.")
    action: str
    object: str
    environment: str | None
    detail: dict[str, Any]


class EntryList(BaseModel):
    """The newest entries, and how many there are."""

    audit: list[EntryAnswer]
    total: int


@router.get("/audit")
def list_entries(
    request: Request,
    actor: Acting,
    limit: Limit = 100,
    before: Annotated[int | None, Query(ge=1, lt=2**63, description="Go on before the entry of this id.")] = None,
) -> EntryList:
    """The newest entries first, those of the environments that the actor sees."""
    with reading(engine_of(request)) as connection:
        found = audit.entries(connection, actor.environments, limit, before)
        total = audit.count(connection, actor.environments)
    return EntryList(audit=[EntryAnswer.model_validate(one) for one in found], total=total)
