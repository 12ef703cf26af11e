"""The documents of the gate: what a pipeline asks, and the report that it is answered with."""

from typing import Any, Literal

from pydantic import BaseModel, Field

from envparity_agent.fingerprint import Value
from envparity_server.api.compare_documents import Document, PairAnswer, SeverityWord


class GateQuestion(BaseModel):
    """A fingerprint, what to hold it against, how strictly, and what was declared."""

    fingerprint: Document
    against: str = Field(description="A selector.")
    only: str = Field("", description="Only these kinds or paths.", examples=["python,os-packages"])
    app: str = Field("", description="Only this application.", examples=["shop"])
    fail_on: SeverityWord = "low"
    rules: list[dict[str, Any]] = Field(
        [], examples=[[{"match": "os-packages/linux-image-*", "reason": "runners have another kernel"}]]
    )
    severity: list[dict[str, Any]] = Field([], examples=[[{"match": "os-packages/openssl", "severity": "high"}]])
    declared: list[Document] = Field(
        [], description="Fingerprints of locks, requirements, Dockerfiles and compose files.", examples=[[]]
    )
    min_coverage: int = Field(100, ge=0, le=100, description="Percent of the items in scope.", examples=[95])
    max_age: int | None = Field(None, ge=0, description="Of the reference, in seconds.", examples=[86400])
    new_only: bool = Field(False, description="What the last accepted run had does not fail.")
    origin: dict[str, str] = Field(
        {},
        description="Where the run comes from, as the pipeline tells it: repository, ref, commit, link.",
        examples=[{"repository": "example/shop", "ref": "refs/heads/main", "link": "https://ci.example/shop/runs/512"}],
    )


class PlaceAnswer(BaseModel):
    """Where a file says it."""

    file: str = Field(examples=["uv.lock"])
    line: int = Field(examples=[12])


class FindingAnswer(BaseModel):
    """One difference, and how it stands before the gate."""

    id: str
    content: str = Field(description="Equal for the very same difference.", examples=["9c0d1e5b7a863f2a"])
    section: str
    item: str | None = Field(description="null: the whole section.")
    attribute: str | None
    state: Literal["changed", "only_left", "only_right", "incomparable", "unknown", "expected"]
    left: Value = Field(description="Of the subject.")
    right: Value = Field(description="Of the reference.")
    severity: SeverityWord
    distance: str | None
    words: str = Field(description="From the reference to the subject.")
    standing: Literal["unknown", "expected", "declared", "known", "below", "fails"] = Field(examples=["fails"])
    why: str | None = Field(description="Why it stands so: a file, a rule's reason, a run.", examples=[None])
    origin: str | None = Field(examples=["via base image debian:bookworm (digest moved)"])
    place: PlaceAnswer | None = Field(examples=[None])


class CoverageAnswer(BaseModel):
    """How many of the items in scope could be compared."""

    compared: int = Field(examples=[412])
    total: int = Field(examples=[412])


class SuspectedAnswer(BaseModel):
    """A likely cause, and the steps that undo it."""

    rank: int = Field(description="From 1, the likeliest.", examples=[1])
    section: str
    item: str | None
    reasons: list[str] = Field(examples=[["it is a library that others load"]])
    steps: list[str] = Field(examples=[["apt-get install openssl=3.0.15-1~deb12u1"]])
    note: str = Field(examples=[""])


class CoveredAnswer(BaseModel):
    """How many differences a rule expects."""

    rule: str = Field(examples=["3f2a9c0d1e5b7a86"])
    reason: str
    expected: int


class RunAnswer(BaseModel):
    """Where the server keeps the run."""

    id: str = Field(examples=["41"])
    url: str = Field("", description="Of its page, where the server knows its own address.")


class VerdictAnswer(BaseModel):
    """Parity, drift, or unknown, and why."""

    schema_: Literal[1] = Field(alias="schema")
    verb: Literal["gate"]
    subject: str = Field(examples=["image:shop:new"])
    against: str
    verdict: Literal["parity", "drift", "unknown"]
    threshold: SeverityWord
    summary: str = Field(examples=["412 items the same as env:prod, none differs at low or over"])
    reasons: list[str] = Field(description="Why it cannot be told, and what was not examined.", examples=[[]])
    doubts: list[str] = Field(
        description="Those of the reasons that no coverage makes up for: a stale reference.", examples=[[]]
    )
    differences: list[FindingAnswer] = Field(description="Those that fail.")
    accounted: list[FindingAnswer] = Field(description="All others, each with how it stands.", examples=[[]])
    expected: int = Field(description="Differences that rules expect.", examples=[0])
    coverage: CoverageAnswer
    causes: list[SuspectedAnswer] = Field(description="The likeliest ones of what fails.")
    rules: list[CoveredAnswer]
    paired: list[PairAnswer]
    notes: list[str]
    remarks: list[str] = Field(description="About rules: which one has expired.", examples=[[]])
    run: RunAnswer | None = Field(examples=[None])
