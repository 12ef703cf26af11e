"""The documents of the rules' API: what it takes and what it answers."""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from envparity_agent.project import MAX_RULES, MAX_TEXT
from envparity_server.compare.groups import wording
from envparity_server.drift.rules import document_of
from envparity_server.previewing import Preview
from envparity_server.storage.rules import StoredRule

SeverityWord = Literal["info", "low", "medium", "high", "critical"]


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Question(_Body):
    """What a rule would match, and on which hosts."""

    match: Annotated[str, Field(min_length=1, max_length=MAX_TEXT, examples=["os-packages/linux-image-*"])]
    hosts: Annotated[str, Field(max_length=MAX_TEXT, examples=["env:dev"])] = ""
    severity: Annotated[SeverityWord | None, Field(description="null: what it matches is expected")] = None


class NewRule(Question):
    """A rule as somebody makes it."""

    reason: Annotated[str, Field(min_length=1, max_length=MAX_TEXT, examples=["kernels differ by design on laptops"])]
    owner: Annotated[str, Field(max_length=MAX_TEXT, examples=["platform team"])] = ""
    expires: Annotated[datetime | None, Field(examples=["2027-03-01T00:00:00Z"])] = None


class Changed(_Body):
    """What to change of a rule, and the version that was seen; what is left out stays."""

    version: Annotated[int, Field(ge=1, lt=2**31)]
    reason: Annotated[str | None, Field(min_length=1, max_length=MAX_TEXT, examples=["until the laptops are new"])] = (
        None
    )
    owner: Annotated[str | None, Field(max_length=MAX_TEXT)] = None
    expires: Annotated[datetime | None, Field(description="null: no end")] = None


class Imported(_Body):
    """The rules of a file."""

    rules: Annotated[list[NewRule], Field(max_length=MAX_RULES)]


class RuleAnswer(BaseModel):
    """A rule with what the server knows about it."""

    id: str
    match: str
    hosts: str
    severity: SeverityWord | None
    reason: str
    owner: str
    expires: datetime | None
    state: Literal["active", "expired"]
    environment: Annotated[str | None, Field(description="that it belongs to; null: to all")]
    created_by: str
    created_at: datetime
    hits: int
    last_hit_at: datetime | None
    version: int


class RulesAnswer(BaseModel):
    """Some rules, in the order in which they are tried, and how many there are."""

    rules: list[RuleAnswer]
    total: int


class MadeAnswer(BaseModel):
    """A rule that was made, and what its maker should know."""

    rule: RuleAnswer
    warnings: list[str]


class ImportedAnswer(BaseModel):
    """What an import did."""

    added: int
    changed: int
    unchanged: int
    warnings: list[str]


class ExampleAnswer(BaseModel):
    """A difference that the rule would cover."""

    section: str
    item: str
    attribute: str
    words: str
    hosts: int


class PreviewAnswer(BaseModel):
    """What a rule would cover of what differs now and no other rule expects."""

    words: Annotated[str, Field(examples=["hides 37 % of what differs now: 12 of 32 differences, on 8 of 40 hosts"])]
    share: Annotated[int, Field(description="percent")]
    covered: int
    differences: int
    hosts: Annotated[int, Field(description="that were looked at")]
    hosts_there: int
    hosts_covered: int
    examples: list[ExampleAnswer]
    warnings: list[str]


def rule_answer(one: StoredRule, moment: datetime) -> RuleAnswer:
    """A stored rule as the API tells it at a moment."""
    return RuleAnswer(
        **document_of(one.rule),
        state="expired" if one.rule.is_expired(moment) else "active",
        environment=one.environment,
        created_by=one.created_by,
        created_at=one.created_at,
        hits=one.hits,
        last_hit_at=one.last_hit_at,
        version=one.version,
    )


def preview_answer(found: Preview, warnings: Iterable[str]) -> PreviewAnswer:
    """A preview as the API tells it, with more to warn of."""
    return PreviewAnswer(
        words=found.words,
        share=found.share,
        covered=found.covered,
        differences=found.differences,
        hosts=found.hosts,
        hosts_there=found.hosts_there,
        hosts_covered=found.hosts_covered,
        examples=[
            ExampleAnswer(
                section=one.difference.section,
                item=one.difference.item,
                attribute=one.difference.attribute,
                words=wording(one.difference),
                hosts=one.hosts,
            )
            for one in found.examples
        ],
        warnings=[*warnings, *found.warnings],
    )
