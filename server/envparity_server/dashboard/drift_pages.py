"""The pages Drifts and Drift: an inbox in which one cause is one line."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import Annotated, Any, Literal
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import RedirectResponse
from pydantic import ValidationError
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import Response

from envparity_agent.errors import UsageError
from envparity_server.api.authentication import engine_of, now
from envparity_server.api.drift_documents import Decisions, StateWord, shown
from envparity_server.api.drifts import decided
from envparity_server.api.problems import Problem
from envparity_server.compare.model import Severity
from envparity_server.dashboard.drift_views import events, places, rule_address, sides, told
from envparity_server.dashboard.forms import Form, may, read_form, require
from envparity_server.dashboard.pages import page, require_person, seen_by
from envparity_server.drift.life import DECIDED, OPEN, State
from envparity_server.drift.words import STALE
from envparity_server.storage import audit, deploys, drifts, hosts, standings
from envparity_server.storage.actors import Actor, Environments, Role
from envparity_server.storage.database import reading
from envparity_server.storage.drifts import Drift, Wanted
from envparity_server.storage.gate_runs import is_web

router = APIRouter(include_in_schema=False, dependencies=[Depends(require_person)])

PAGE_ROWS = 50
MOST_ITEMS = 200  # of one drift that are shown; the API has more
MOST_HOSTS = 200
_LONGEST_REASON = 1024
_CHOSEN = re.compile(r"(?P<id>[0-9a-f]{16}):(?P<version>[1-9][0-9]{0,8})")
_UNDECIDED = OPEN - DECIDED

_TABS: Mapping[str, tuple[str, Collection[State], str]] = {  # state of the address -> name, states, what they are
    "inbox": ("Inbox", _UNDECIDED, "What nobody has decided about."),
    "new": ("New", {State.NEW}, "Began within the last day."),
    "regressed": ("Came again", {State.REGRESSED}, "Was resolved, and is there again."),
    "ongoing": ("Ongoing", {State.ONGOING}, "Lasts for more than a day, or was reopened."),
    "settling": ("Settling", {State.SETTLING}, "Still moves between hosts: nobody is told before it stops."),
    "acknowledged": ("Acknowledged", {State.ACKNOWLEDGED}, "Somebody said why it is fine as it is."),
    "snoozed": ("Snoozed", {State.SNOOZED}, "Comes back to the inbox by itself."),
    "open": ("All open", OPEN, "Everything that is not resolved."),
    "resolved": ("Resolved", {State.RESOLVED}, "Nothing of it is left on any host."),
    "all": ("All", frozenset(State), "Everything, the resolved ones too."),
}
_SEVERITIES: Mapping[str, tuple[str, Severity, Severity]] = {  # of the address -> name, the lowest, the highest
    "info": ("any", Severity.INFO, Severity.CRITICAL),
    "low": ("low or over", Severity.LOW, Severity.CRITICAL),
    "medium": ("medium or over", Severity.MEDIUM, Severity.CRITICAL),
    "high": ("high or over", Severity.HIGH, Severity.CRITICAL),
    "critical": ("only critical", Severity.CRITICAL, Severity.CRITICAL),
    "only-high": ("only high", Severity.HIGH, Severity.HIGH),
    "only-medium": ("only medium", Severity.MEDIUM, Severity.MEDIUM),
    "only-low": ("only low", Severity.LOW, Severity.LOW),
    "only-info": ("only info", Severity.INFO, Severity.INFO),
}
_DAYS = {"1": "1 day", "3": "3 days", "7": "1 week", "14": "2 weeks", "30": "30 days"}  # of a snooze

Text = Annotated[str, Query(max_length=255, pattern=r"^[^\x00]*$")]


@dataclass(frozen=True)
class Filters:
    """Which drifts the list is of, as its address says."""

    state: str = "inbox"
    severity: str = "info"
    environment: str = ""
    host: str = ""
    q: str = ""
    page: int = 1

    @property
    def are_set(self) -> bool:
        """Whether anything but the state narrows the list."""
        return Filters(self.state, page=self.page) != self

    def wanted(self, of: Collection[str] | None) -> Wanted:
        """The same for the storage; `of` are the ids of the hosts, None for all."""
        states = _TABS[self.state][1]
        _, lowest, highest = _SEVERITIES[self.severity]
        return Wanted(states, lowest, self.environment or None, self.q, of, highest)

    def address(self, **changed: str | int) -> str:
        """The permalink of the list, or of one that differs in something; the first page of that."""
        plain, told = vars(Filters()), {**vars(self), "page": 1, **changed}
        query = {name: value for name, value in told.items() if value != plain[name]}
        return "/drifts" + (f"?{urlencode(query)}" if query else "")


@dataclass(frozen=True)
class Refused:
    """Why a decision was not taken, and the reason that was given for it, which nobody should have to write again."""

    status: HTTPStatus
    happened: str
    advice: str
    reason: str


def _filters(
    state: Literal["inbox"] | StateWord = "inbox",
    severity: Annotated[str, Query(pattern=f"^({'|'.join(_SEVERITIES)})$")] = "info",
    environment: Text = "",
    host: Text = "",
    q: Text = "",
    page: Annotated[int, Query(ge=1, le=100_000)] = 1,
) -> Filters:
    return Filters(state, severity, environment, host, q, page)


Filtered = Annotated[Filters, Depends(_filters)]


def only(severity: Severity) -> str:
    """The drifts of one severity and no other, as the address of the list says it."""
    return severity.word if severity == Severity.CRITICAL else f"only-{severity.word}"


@router.get("/drifts")
def show_drifts(request: Request, filters: Filtered) -> Response:
    """The drifts that nobody has decided about, or those that are asked for; the most severe and newest first."""
    return _list(request, filters)


def _list(request: Request, filters: Filters, refused: Refused | None = None) -> Response:
    seen = seen_by(request)
    with reading(engine_of(request)) as connection:
        of = hosts.named(connection, filters.host, seen) if filters.host else None
        wanted = filters.wanted(None if of is None else [one.id for one in of])
        found, matching = drifts.listed(connection, wanted, seen, PAGE_ROWS, (filters.page - 1) * PAGE_ROWS)
        counts = drifts.by_state(connection, wanted, seen)
        return page(
            request,
            "drifts.html",
            refused.status if refused else HTTPStatus.OK,
            filters=filters,
            severities={word: name for word, (name, _, _) in _SEVERITIES.items()},
            tabs=[(state, name, sum(counts[one] for one in states)) for state, (name, states, _) in _TABS.items()],
            meaning=_TABS[filters.state][2],
            drifts=found,
            lasting=drifts.counted(connection, [one.id for one in found]),
            matching=matching,
            pages=-(-matching // PAGE_ROWS),
            environments=hosts.environments(connection, seen),
            of=of[0] if of and len(of) == 1 else None,
            compared=None if counts else _compared(connection, seen),
            **_deciding(request, filters.address(page=filters.page), refused),
        )


def _compared(connection: Connection, seen: Environments) -> dict[str, Any]:
    """Why there may be no drift: how many hosts there are, how many of them were compared, and when last."""
    everyone, compared = hosts.all_hosts(connection, seen), standings.compared(connection, seen)
    held = [compared[one.id] for one in everyone if one.id in compared]
    return {"hosts": len(everyone), "held": len(held), "last": max(held, default=None)}


def _deciding(request: Request, address: str, refused: Refused | None) -> dict[str, Any]:
    """What the form of a decision needs, and why the last one was refused."""
    return {
        "refused": refused,
        "may_decide": may(request, Role.OPERATOR),
        "decide_at": address,
        "longest_reason": _LONGEST_REASON,
        "days": _DAYS,
        "told": told,
    }


@router.post("/drifts")
async def decide_drifts(request: Request, filters: Filtered) -> Response:
    """Decide about the drifts that are ticked."""
    form = await read_form(request)
    return await run_in_threadpool(_decide_listed, request, form, filters)


def _decide_listed(request: Request, form: Form, filters: Filters) -> Response:
    refused = _decide(request, form)
    return _list(request, filters, refused) if refused else RedirectResponse(filters.address(), HTTPStatus.SEE_OTHER)


@router.get("/drifts/{id}")
def show_drift(request: Request, id: str) -> Response:
    """One drift: what differs, on which hosts, against what, and its life."""
    return _one(request, id)


def _one(request: Request, id: str, refused: Refused | None = None) -> Response:
    actor: Actor = request.state.actor
    with reading(engine_of(request)) as connection:
        one = _known(connection, id, actor)
        deploy = deploys.by_id(connection, one.deploy) if one.deploy else None
        there = places(one)
        return page(
            request,
            "drift.html",
            refused.status if refused else HTTPStatus.OK,
            drift=one,
            items=shown(one).items,
            most=MOST_ITEMS,
            places=there,
            most_hosts=MOST_HOSTS,
            events=events(one, audit.of(connection, one.id, one.first_seen)),
            deploy=deploy,
            deploy_link=deploy.link if deploy and is_web(deploy.link) else "",
            is_silence=one.kind == STALE,
            is_open=one.state in OPEN,
            is_decided=one.state in DECIDED,
            rule_address=rule_address,
            sides_of=sides,
            **_deciding(request, f"/drifts/{one.id}", refused),
        )


def _known(connection: Connection, id: str, actor: Actor) -> Drift:
    found = drifts.by_id(connection, id) if id.isalnum() else None  # PostgreSQL takes no NUL
    if found is None or not actor.sees(found.environment):
        raise HTTPException(HTTPStatus.NOT_FOUND, f"no drift {id[:64]}")
    return found


@router.post("/drifts/{id}")
async def decide_drift(request: Request, id: str) -> Response:
    """Decide about one drift."""
    form = await read_form(request)
    return await run_in_threadpool(_decide_one, request, form, id)


def _decide_one(request: Request, form: Form, id: str) -> Response:
    refused = _decide(request, form)
    return _one(request, id, refused) if refused else RedirectResponse(f"/drifts/{quote(id)}", HTTPStatus.SEE_OTHER)


def _decide(request: Request, form: Form) -> Refused | None:
    """Decide as a form says; what the person can mend at once is returned, and told on the page where it happened."""
    actor = require(request, Role.OPERATOR)
    reason = form.text("reason")
    try:
        decision = _decision(form)
        which = [(one.id, one.version) for one in decision.drifts]
        decided(request, actor, which, decision.decision, decision.reason, decision.until)
    except UsageError as problem:
        return Refused(HTTPStatus.UNPROCESSABLE_ENTITY, str(problem), problem.advice, reason)
    except Problem as problem:
        if problem.status != HTTPStatus.CONFLICT:
            raise
        happened = "Somebody decided first, or it has moved on"
        return Refused(HTTPStatus.CONFLICT, happened, "Nothing was done; what is below is as it stands now.", reason)
    return None


def _decision(form: Form) -> Decisions:
    """What the form says, as the API takes it; raises UsageError."""
    chosen = [found for one in form.texts("drift") if (found := _CHOSEN.fullmatch(one))]
    word = form.text("decision")
    reason = form.text("reason")[:_LONGEST_REASON] if word != "reopen" else None
    if not chosen:
        raise UsageError("No drift is chosen", "Tick those that you decide about.")
    if reason == "":
        raise UsageError("The reason is missing", "Say why.")
    days = form.text("days")
    until = now() + timedelta(days=int(days)) if word == "snooze" and days in _DAYS else None
    try:
        return Decisions.model_validate(
            {"decision": word, "drifts": [one.groupdict() for one in chosen], "reason": reason, "until": until}
        )
    except ValidationError:
        raise UsageError("The form is not complete", "Choose what to do, and until when.") from None
