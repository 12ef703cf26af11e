"""The documents of fingerprints and comparisons, as the OpenAPI document tells them."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from envparity_agent.fingerprint import Fingerprint, Section, Target, Value

SeverityWord = Literal["info", "low", "medium", "high", "critical"]

_TAKEN = Fingerprint(
    Target("host", "web-1"),
    "2026-11-01T12:00:00+00:00",
    {"os-packages": Section("os-packages", "os-packages", 1, {"openssl": {"version": "3.0.15-1~deb12u1"}})},
).document()

Document = Annotated[
    dict[str, Any],
    Field(description="A fingerprint, as `GET /api/v1/schemas/fingerprint` promises it.", examples=[_TAKEN]),
]


class JsonSchema(BaseModel):
    """A JSON Schema, draft 2020-12."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={
            "examples": [{"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "a", "type": "object"}]
        },
    )

    title: str
    type: Literal["object"]


class SubjectOfRules(BaseModel):
    """What a rule's selector is held against."""

    name: str = Field(examples=["web-1"])
    environment: str | None
    labels: dict[str, str] = Field(examples=[{"role": "web"}])


class FingerprintAnswer(BaseModel):
    """What a selector stands for, and what must be said beside it."""

    fingerprint: Document
    notes: list[str]
    subject: SubjectOfRules


class TargetAnswer(BaseModel):
    """One side."""

    kind: str = Field(examples=["host"])
    name: str = Field(examples=["web-1"])


class DifferenceAnswer(BaseModel):
    """One attribute that differs."""

    id: str
    section: str
    item: str | None = Field(description="null: the whole section.")
    attribute: str | None
    state: Literal["changed", "only_left", "only_right", "incomparable", "unknown", "expected", "same"]
    left: Value
    right: Value
    severity: SeverityWord
    distance: str | None
    owner: str | None = Field(
        description="What it is folded below: another distribution, a parent package.", examples=[None]
    )
    rule: str | None = Field(description="That expects it.")
    rated_by: str = Field("", description="The rule that its severity is of.", examples=["3f2a9c0d1e5b7a86"])
    found: str = Field("", description="The state that the rule covered.", examples=["changed"])
    reason: str = Field("", description="Of the rule.")
    origin: str = Field("", description="Where the change came from.", examples=["apt"])
    words: str = ""


class PairAnswer(BaseModel):
    """Two sections with unlike paths that were held against each other."""

    left: str = Field(examples=["python/srv/shop"])
    right: str = Field(examples=["python/opt/shop"])
    why: str = Field(examples=["the same application"])


class UnexaminedAnswer(BaseModel):
    """What was not looked at."""

    section: str | None
    why: str = Field(examples=["web-1: permission"])


class ComparisonAnswer(BaseModel):
    """What differs, and what was not examined."""

    schema_: Literal[1] = Field(alias="schema")
    left: TargetAnswer
    right: TargetAnswer
    summary: dict[str, int] = Field(description="State -> how many.", examples=[{"same": 412, "changed": 1}])
    differences: list[DifferenceAnswer]
    paired: list[PairAnswer]
    not_examined: list[UnexaminedAnswer]
    remarks: list[str] = Field([], description="About rules: which one has expired.", examples=[[]])
    notes: list[str]
