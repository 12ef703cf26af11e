"""The documents of the agents' routes, as the OpenAPI document tells them; the routes read their bodies by hand."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from envparity_server.api.lists import Name

HOST = "0123456789abcdef"
_HASH = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

Credential = Annotated[
    str,
    Field(
        min_length=32,
        max_length=128,
        pattern="^[ -~]+$",
        description="The agent makes it; the server keeps a hash.",
        examples=["Jx3kX0s1dT9qPpZ5rWb7uYc2vNa8mLe4"],
    ),
]


class Enrolment(BaseModel):
    """A host that enrols."""

    name: str = Field(min_length=1, max_length=255, pattern=r"^[^\x00]*$", examples=["web-1"])
    environment: Name | None = Field(None, description="Where the token leaves it open.", examples=["prod"])
    labels: dict[Name, Name] = Field({}, examples=[{"role": "web"}])
    credential: Credential


class Enrolled(BaseModel):
    """A host that is known."""

    host: str = Field(description="Its id.", examples=[HOST])
    environment: str


class Objects(BaseModel):
    """What uploaded objects refer to and the server lacks."""

    missing: list[str] = Field(description="SHA-256 of objects.", examples=[[_HASH]])


class Report(BaseModel):
    """A root hash with what is not in it; a field that the server does not know is counted and left out."""

    model_config = ConfigDict(extra="allow")

    host: str = Field(description="The host's id.", examples=[HOST])
    root: str = Field(pattern="^[0-9a-f]{64}$", examples=[_HASH])
    taken_at: str = Field(description="By the host's clock, ISO 8601.")
    identity: dict[str, Any] = Field({}, description="What is unique by nature.", examples=[{"hostname": "web-1"}])
    observed: dict[str, Any] = Field(
        {}, description="What moves by itself, by section.", examples=[{"machine": {"uptime": 86400}}]
    )
    interval: int = Field(description="Seconds until the next report.", examples=[900])
    agent: str = Field(description="The agent's version.", examples=["0.2.0"])
    sent_at: str = Field("", description="By the host's clock, ISO 8601.", examples=["2026-11-01T12:00:05+00:00"])


class Reported(BaseModel):
    """What became of a report: accepted and durable, or not yet for want of objects."""

    accepted: bool = Field(examples=[True])
    missing: list[str] = Field([], description="SHA-256 of objects to send first.", examples=[[]])
    root: str = Field("", examples=[_HASH])
    seq: int = 0
    duplicate: bool = Field(False, description="It was accepted before.")
    ignored: int = Field(0, description="Fields of a newer agent that this server does not know.", examples=[0])


class NextCredential(BaseModel):
    """The credential that a host will use next."""

    credential: Credential


class Announced(BaseModel):
    """Where the change of a credential stands."""

    host: str = Field(description="Its id.", examples=[HOST])
    credential: Literal["announced", "in use"]
