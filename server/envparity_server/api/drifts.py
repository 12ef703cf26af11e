"""Drifts: what differs in the fleet and for how long; a person acknowledges, snoozes or reopens them."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from sqlalchemy import Connection

from envparity_server.api.authentication import engine_of, now
from envparity_server.api.drift_documents import (
    Acknowledgement,
    Decisions,
    DriftAnswer,
    DriftsAnswer,
    Reopening,
    SeverityWord,
    ShownDrift,
    Snooze,
    StateWord,
    answer,
    shown,
)
from envparity_server.api.lists import Limit, Offset
from envparity_server.api.problems import Problem
from envparity_server.api.roles import Acting
from envparity_server.compare.model import Severity
from envparity_server.drift.life import DECIDED, OPEN, State
from envparity_server.storage import audit, drifts
from envparity_server.storage.actors import Actor
from envparity_server.storage.database import reading, writing
from envparity_server.storage.drifts import Drift, Wanted

router = APIRouter(prefix="/api/v1/drifts", tags=["drifts"])

DriftId = Annotated[str, Path(pattern="^[0-9a-f]{16}$", examples=["5b7a863f2a9c0d1e"])]
_ACTIONS = {"acknowledge": "drift.acknowledge", "snooze": "drift.snooze", "reopen": "drift.reopen"}


@router.get("")
def list_drifts(
    request: Request,
    acting: Acting,
    state: Annotated[StateWord, Query(description="`open` is all but resolved.")] = "open",
    severity: Annotated[SeverityWord, Query(description="The lowest.")] = "info",
    environment: Annotated[str | None, Query(max_length=255, pattern=r"^[^\x00]*$")] = None,
    limit: Limit = 200,
    offset: Offset = 0,
) -> DriftsAnswer:
    """The drifts of the environments one sees, the most severe and then the newest first."""
    states = OPEN if state == "open" else frozenset(State) if state == "all" else {State(state)}
    wanted = Wanted(states, Severity[severity.upper()], environment)
    with reading(engine_of(request)) as connection:
        found, total = drifts.listed(connection, wanted, acting.environments, limit, offset)
        counts = drifts.counted(connection, [one.id for one in found])
    return DriftsAnswer(drifts=[answer(one, *counts.get(one.id, (0, 0))) for one in found], total=total)


@router.get("/{id}")
def show_drift(request: Request, acting: Acting, id: DriftId) -> ShownDrift:
    """One drift with its hosts, and its items as they stand on them."""
    with reading(engine_of(request)) as connection:
        return shown(readable(connection, id, acting))


@router.post("/{id}/acknowledge")
def acknowledge(request: Request, acting: Acting, id: DriftId, body: Acknowledgement) -> DriftAnswer:
    """It is known, and why; another value on a host is another drift."""
    return decided(request, acting, [(id, body.version)], "acknowledge", body.reason)[0]


@router.post("/{id}/snooze")
def snooze(request: Request, acting: Acting, id: DriftId, body: Snooze) -> DriftAnswer:
    """It is out of the inbox until a moment."""
    return decided(request, acting, [(id, body.version)], "snooze", body.reason, body.until)[0]


@router.post("/{id}/reopen")
def reopen(request: Request, acting: Acting, id: DriftId, body: Reopening) -> DriftAnswer:
    """What was acknowledged or snoozed is back in the inbox."""
    return decided(request, acting, [(id, body.version)], "reopen")[0]


@router.post("/decisions")
def decide(request: Request, acting: Acting, body: Decisions) -> DriftsAnswer:
    """One decision about several drifts: about all of them, or none."""
    which = [(one.id, one.version) for one in body.drifts]
    found = decided(request, acting, which, body.decision, body.reason, body.until)
    return DriftsAnswer(drifts=found, total=len(found))


def decided(
    request: Request,
    acting: Actor,
    which: list[tuple[str, int]],
    decision: str,
    reason: str | None = None,
    until: datetime | None = None,
) -> list[DriftAnswer]:
    """Decide about drifts, at the versions that were seen: about all of them, or none; raises Problem.

    The order is the same whoever asks, so that two who do so wait for each other and not for ever.
    """
    moment = now()
    if until is not None and until <= moment:
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, f"{until:%Y-%m-%d %H:%M} has passed", "give a later moment")
    with writing(engine_of(request)) as connection:
        for id, version in sorted(dict(which).items()):
            one = readable(connection, id, acting)
            _check(one, decision)
            if decision == "reopen":
                done = drifts.reopened(connection, id, version, moment)
            else:
                state = State.SNOOZED if decision == "snooze" else State.ACKNOWLEDGED
                done = drifts.decide(connection, id, version, state, moment, reason, acting.name, until)
            if not done:
                raise Problem(
                    HTTPStatus.CONFLICT,
                    f"drift {id} is not as it was at version {version}: somebody decided, or it moved on",
                    f"look at it again: envparity drifts show {id}",
                )
            detail = {"reason": reason, "until": until.isoformat() if until else None}
            audit.write(connection, acting, _ACTIONS[decision], id, moment, one.environment, words=one.words, **detail)
        found = [readable(connection, id, acting) for id in dict(which)]
        counts = drifts.counted(connection, dict(which))
    return [answer(one, *counts.get(one.id, (0, 0))) for one in found]


def readable(connection: Connection, id: str, acting: Actor) -> Drift:
    """A drift that the actor may see; one of another environment is not there."""
    found = drifts.by_id(connection, id)
    if found is None or not acting.sees(found.environment):
        raise Problem(HTTPStatus.NOT_FOUND, f"no drift {id}", "list them: envparity drifts list")
    return found


def _check(one: Drift, decision: str) -> None:
    if one.state == State.RESOLVED:
        raise Problem(HTTPStatus.CONFLICT, f"drift {one.id} is resolved", "there is nothing to decide")
    if decision == "reopen" and one.state not in DECIDED:
        raise Problem(HTTPStatus.CONFLICT, f"drift {one.id} is {one.state}: nobody decided about it")
