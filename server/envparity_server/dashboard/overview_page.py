"""The page Overview: where environments have drifted apart, at a glance."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from sqlalchemy import Connection
from starlette.responses import Response

from envparity_agent.errors import EnvparityError
from envparity_server.api.authentication import engine_of, now
from envparity_server.compare.groups import severities
from envparity_server.compare.model import UNKNOWN_STATES, State
from envparity_server.dashboard.drift_pages import only
from envparity_server.dashboard.forms import may
from envparity_server.dashboard.pages import page, require_person, seen_by
from envparity_server.dashboard.parity import arranged, ends_of_days, parity, told_states
from envparity_server.dashboard.stages import pairs
from envparity_server.dashboard.suggestions import FEW_HOSTS, suggest
from envparity_server.dashboard.timeline_page import day_of, item_address, line_address
from envparity_server.gating.model import Verdict
from envparity_server.references import compare_selectors
from envparity_server.storage import drift_figures, gate_runs, hosts, standings, timeline
from envparity_server.storage.actors import Environments, Role
from envparity_server.storage.database import reading
from envparity_server.storage.timeline import Line

router = APIRouter(include_in_schema=False, dependencies=[Depends(require_person)])

_MOST_PAIRS = 8
_FEW = 5  # stale hosts, red gates
_LATEST = 10  # changes

Name = Annotated[str, Query(min_length=1, max_length=255, pattern=r"^[^\x00]*$")]


@router.get("/")
def show_overview(request: Request) -> Response:
    """Every environment with its hosts and drifts, what changed last, and what is silent or red."""
    moment, seen = now(), seen_by(request)
    ends = ends_of_days(moment)
    with reading(engine_of(request)) as connection:
        everyone = hosts.all_hosts(connection, seen, retired=True)
        present = [one for one in everyone if one.state(moment) not in hosts.GONE]
        drifting, compared = standings.open_drifts(connection, seen), standings.compared(connection, seen)
        stand = [standings.standing(one, drifting.get(one.id, {}), one.id in compared, moment) for one in present]
        environments = arranged(
            zip((one.environment for one in present), stand, strict=True), drift_figures.opened(connection, seen)
        )
        stale = sorted((one for one in present if one.is_stale(moment)), key=lambda one: str(one.seen_at))
        red, all_red = gate_runs.listed(connection, gate_runs.Wanted(verdict=Verdict.DRIFT), seen, _FEW)
        return page(
            request,
            "overview.html",
            standings=environments,
            states=told_states(environments),
            only=only,
            pairs=pairs([one.name for one in environments])[:_MOST_PAIRS],
            days=parity(everyone, compared, drift_figures.lasted(connection, ends[0], seen), ends),
            latest=_latest(connection, seen),
            stale=stale[:_FEW],
            all_stale=len(stale),
            red=red,
            all_red=all_red,
            item_address=item_address,
            line_address=line_address,
            suggestions=suggest(connection, present, moment) if len(present) < FEW_HOSTS else [],
            is_admin=may(request, Role.ADMIN),
        )


def _latest(connection: Connection, seen: Environments) -> list[Line]:
    """The newest changes of the last day that had any: older ones are on the timeline."""
    last = timeline.newest(connection, timeline.ANY, seen, now() + timedelta(days=1))
    return timeline.lines(connection, timeline.ANY, seen, *day_of(last), _LATEST)[0] if last else []


@router.get("/overview/pair")
def show_pair(request: Request, left: Name, right: Name) -> Response:
    """What differs between two environments: a part of the page that comes after it, as comparing takes its time."""
    sides = f"env:{left}", f"env:{right}"
    try:
        with reading(engine_of(request)) as connection:
            comparison, _ = compare_selectors(connection, *sides, now(), environments=seen_by(request))
    except EnvparityError as problem:  # no host of it has reported, or can be relied on
        return page(request, "overview_pair.html", sides=sides, problem=problem)
    states = [one.state for one in comparison.differences]
    unknown = sum(state in UNKNOWN_STATES for state in states)
    expected = states.count(State.EXPECTED)
    return page(
        request,
        "overview_pair.html",
        sides=sides,
        differing=len(states) - unknown - expected,
        told=severities(comparison.differences),
        same=comparison.same,
        unknown=unknown,
        expected=expected,
        unexamined=sum(not one.beyond for one in comparison.unexamined),
    )
