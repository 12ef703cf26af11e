"""The documents of explanations, as the OpenAPI document and the published JSON Schema tell them."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from envparity_server.api.compare_documents import DifferenceAnswer, TargetAnswer, UnexaminedAnswer


class ExplanationQuestion(BaseModel):
    """Where it works and where it does not, and what the failing run printed."""

    good: str = Field(description="A selector.", examples=["env:dev"])
    bad: str = Field(description="A selector.", examples=["env:prod"])
    traceback: str = Field(
        "",
        description="A traceback or a log, at most 1 MiB.",
        examples=["ImportError: cannot import name 'url_quote' from 'werkzeug.urls'"],
    )
    only: str = Field("", description="Only these kinds or paths.", examples=["python,os-packages"])
    app: str = Field("", description="Only this application.", examples=["shop"])


class CauseAnswer(BaseModel):
    """What differs, and what speaks for and against it as the cause."""

    rank: int = Field(description="From 1, the likeliest.", examples=[1])
    section: str = Field(examples=["python/shop"])
    item: str | None = Field(description="null: the whole section.", examples=["werkzeug"])
    kind: str = Field(examples=["python"])
    score: float = Field(description="Points: each doubles the odds.", examples=[4.5])
    reasons: list[str] = Field(examples=[["flask depends on it"]])
    differences: list[DifferenceAnswer]
    remedy: str | None = Field(
        description="The steps that undo it, a line each; nothing runs them.", examples=["pip install werkzeug==2.3.8"]
    )
    remedy_note: str = Field("", description="What the steps were checked against.", examples=["flask 2.3 allows it"])


class ExplanationAnswer(BaseModel):
    """The causes, the likeliest first, and what was not examined."""

    model_config = ConfigDict(title="envparity explanation")

    schema_: Literal[1] = Field(alias="schema")
    left: TargetAnswer = Field(description="Where it works.")
    right: TargetAnswer = Field(description="Where it does not.")
    causes: list[CauseAnswer]
    not_examined: list[UnexaminedAnswer]
    notes: list[str] = Field(description="What was not known.", examples=[["no traceback or log was given"]])
