"""Outcomes of checks on hosts and in jobs of pipelines, and what separates those that failed from those that passed.

Probabilities are texts: the strict JSON of agents and verbs has no floating-point numbers.
"""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from starlette.concurrency import run_in_threadpool

from envparity_agent.documents import from_document
from envparity_agent.errors import InvalidDocument
from envparity_agent.fingerprint import Value
from envparity_server.api.authentication import engine_of, now
from envparity_server.api.bodies import read_json
from envparity_server.api.compare_documents import Document
from envparity_server.api.lists import Answer, Limit, Name, Offset, Text
from envparity_server.api.openapi import documented
from envparity_server.api.roles import Acting
from envparity_server.explain.claims import Claim, Relation
from envparity_server.explain.outcomes import Findings, Suspect, separate
from envparity_server.explain.trying import Trial, trials
from envparity_server.labelling import Job, label_hosts, label_job, labelled_runs
from envparity_server.storage import hosts, outcomes
from envparity_server.storage.actors import Actor
from envparity_server.storage.database import reading, writing

router = APIRouter(prefix="/api/v1", tags=["outcomes"])

_MOST_SUSPECTS = 20
_Check = Annotated[
    str, StringConstraints(min_length=1, max_length=500, pattern=r"^[^\x00]+$"), Field(examples=["smoke"])
]
_JobName = Annotated[str, StringConstraints(pattern=r"^[^\x00/]{1,200}$")]
Outcome = Literal["pass", "fail"]


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Telling(_Body):
    """What failed and what passed: on hosts, or in a run of a job that no agent reports."""

    hosts: Annotated[str, StringConstraints(max_length=1024)] | None = Field(
        None, description="A selector, with @MOMENT for what they ran then.", examples=["host:web-1@2026-11-01T02:00"]
    )
    job: _JobName | None = Field(None, description="A job instead of hosts.", examples=[None])
    run: _JobName | None = Field(None, description="Which run of the job.", examples=[None])
    environment: Name | None = Field(
        None, description="Of the job; by default `ci`, or what the token is for.", examples=[None]
    )
    fingerprint: Document | None = Field(None, description="What the job ran on.", examples=[None])
    outcomes: Annotated[dict[_Check, Outcome], Field(min_length=1, max_length=20_000)] = Field(
        description="Check, or test, -> outcome.", examples=[{"smoke": "fail"}]
    )


class ToldAnswer(Answer):
    """Who was labelled."""

    labelled: list[str] = Field(description="Hosts, or the run of the job.", examples=[["web-1"]])
    checks: int
    notes: list[str]


class OutcomeAnswer(Answer):
    """One outcome."""

    check: str = Field(examples=["smoke"])
    subject: str = Field(description="The host's name, or JOB/RUN.", examples=["web-1"])
    host: str | None = Field(description="Its id; null for a job.")
    environment: str
    outcome: Outcome
    at: datetime
    root: str = Field(description="What it ran.", examples=["sha256:" + "4" * 64])
    told_by: str = Field(examples=["token:github"])


class OutcomesAnswer(Answer):
    """A list of outcomes."""

    outcomes: list[OutcomeAnswer]
    total: int


class ClaimAnswer(Answer):
    """Something that is so where it fails."""

    section: str = Field(examples=["python/shop"])
    item: str | None = Field(description="null: the whole section.", examples=["urllib3"])
    attribute: str | None
    relation: Relation
    value: Value = Field(examples=["2.2.1"])
    words: str = Field(examples=["urllib3 2.2.1"])


class SuspectAnswer(Answer):
    """What splits the runs alike: nothing that was seen can tell its claims apart."""

    rank: int
    words: str = Field(examples=["on 9 of 10 failing and 0 of 14 passing: urllib3 2.2.1"])
    claims: list[ClaimAnswer]
    fails_with: int = Field(examples=[9])
    fails: int = Field(description="Failing runs of which it is known.", examples=[10])
    passes_with: int = Field(examples=[0])
    passes: int = Field(description="Passing runs of which it is known.", examples=[14])
    chance: str = Field(description="Probability of that by chance: Fisher's exact test.", examples=["7.6e-06"])
    corrected: str = Field(description="The same under all suspects: Holm.", examples=["0.00069"])
    significant: bool = Field(examples=[True])
    belief: str = Field(description="Probability that it is to blame, where labels may be wrong.", examples=["0.98"])
    nearby: list[str] = Field(description="Less likely ones that go with it nearly everywhere.", examples=[[]])


class TrialAnswer(Answer):
    """What to run next."""

    words: str = Field(examples=["label web-9, which has no label yet: if it fails, urllib3 2.2.1 is likelier; ..."])
    run: str = Field(description="On which host.", examples=["web-9"])
    change: list[str] = Field(description="What to change there first.", examples=[[]])
    bits: str = Field(description="How much its outcome is expected to tell.", examples=["0.53"])


class SeparationAnswer(Answer):
    """Suspects, the likeliest first."""

    check: str = Field(examples=["smoke"])
    failing: int
    passing: int
    doubt: str = Field(description="Why that is no answer; empty where it is one.", examples=[""])
    suspects: list[SuspectAnswer]
    next: list[TrialAnswer]


@router.post("/outcomes", **documented(ToldAnswer, Telling))
async def tell_outcomes(request: Request, actor: Acting) -> ToldAnswer:
    """Say whether checks failed on what hosts ran, or on what a job ran; told again, the last word counts."""
    return await run_in_threadpool(_tell, request, actor, _telling(await read_json(request)))


def _telling(body: dict[str, Any]) -> Telling:
    try:
        telling = Telling.model_validate(body)
    except ValidationError as problem:
        first = problem.errors()[0]
        raise InvalidDocument(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None
    of_job = telling.job is not None, telling.run is not None, telling.fingerprint is not None
    if set(of_job) != {telling.hosts is None}:
        raise InvalidDocument("say what ran: either hosts, or a job with its run and fingerprint")
    return telling


def _tell(request: Request, actor: Actor, telling: Telling) -> ToldAnswer:
    failed = {check: outcome == "fail" for check, outcome in telling.outcomes.items()}
    with writing(engine_of(request)) as connection:
        if telling.hosts is not None:
            names, notes = label_hosts(connection, actor, telling.hosts, failed, now())
            return ToldAnswer(labelled=names, checks=len(failed), notes=notes)
        job = Job(telling.job or "", telling.run or "", telling.environment or "")
        label_job(connection, actor, job, from_document(telling.fingerprint), failed, now())
    return ToldAnswer(labelled=[job.subject], checks=len(failed), notes=[])


@router.get("/outcomes")
def list_outcomes(
    request: Request,
    actor: Acting,
    check: Annotated[Text, Query(description="Only of this check.")] = "",
    limit: Limit = 200,
    offset: Offset = 0,
) -> OutcomesAnswer:
    """The newest outcomes of the environments one sees."""
    with reading(engine_of(request)) as connection:
        found = outcomes.listed(connection, actor.environments, check, limit=limit, offset=offset)
        names = {one.id: one.name for one in hosts.all_hosts(connection, actor.environments, retired=True)}
        total = outcomes.count(connection, actor.environments, check)
    told = [
        OutcomeAnswer(
            check=one.check,
            subject=names.get(one.host_id or "", one.subject),
            host=one.host_id,
            environment=one.environment,
            outcome="fail" if one.failed else "pass",
            at=one.at,
            root=f"sha256:{one.root}",
            told_by=one.told_by,
        )
        for one in found
    ]
    return OutcomesAnswer(outcomes=told, total=total)


@router.get("/explain/outcomes")
def explain_outcomes(
    request: Request,
    actor: Acting,
    check: Annotated[Text, Query(min_length=1, description="The check.", examples=["smoke"])],
    of: Annotated[Text, Query(description="Only hosts of this selector, until its moment.")] = "",
) -> SeparationAnswer:
    """What separates the failing from the passing runs of a check, and what to try next to tell suspects apart."""
    with reading(engine_of(request)) as connection:
        found = separate(labelled_runs(connection, actor, check, of, now()))
    suspects = [_suspect(rank, one) for rank, one in enumerate(found.suspects[:_MOST_SUSPECTS], 1)]
    return _answer(check, found, suspects, [_trial(one) for one in trials(found)])


def _answer(check: str, found: Findings, suspects: list[SuspectAnswer], tried: list[TrialAnswer]) -> SeparationAnswer:
    return SeparationAnswer(
        check=check, failing=found.failing, passing=found.passing, doubt=found.doubt, suspects=suspects, next=tried
    )


def _suspect(rank: int, one: Suspect) -> SuspectAnswer:
    return SuspectAnswer(
        rank=rank,
        words=one.words,
        claims=[_claim(claim) for claim in one.claims],
        **vars(one.support),
        chance=f"{one.chance:.2g}",
        corrected=f"{one.corrected:.2g}",
        significant=one.is_significant,
        belief="over 0.99" if one.belief > 0.99 else f"{one.belief:.2g}",
        nearby=[near.words for near in one.nearby],
    )


def _claim(one: Claim) -> ClaimAnswer:
    return ClaimAnswer(
        section=one.section,
        item=one.item or None,
        attribute=one.attribute or None,
        relation=one.relation,
        value=one.value,
        words=one.words,
    )


def _trial(one: Trial) -> TrialAnswer:
    return TrialAnswer(
        words=one.words, run=one.run, change=[claim.words for claim in one.changed], bits=f"{one.gain:.2f}"
    )
