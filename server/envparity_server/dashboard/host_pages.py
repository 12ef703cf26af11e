"""The pages Hosts and Host."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse, RedirectResponse
from pydantic import ValidationError
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import Response

from envparity_agent.errors import UsageError
from envparity_agent.fingerprint import Target
from envparity_agent.kinds import title
from envparity_server.api.authentication import engine_of, now
from envparity_server.api.hosts import HostChange, changed, retired
from envparity_server.dashboard import host_views
from envparity_server.dashboard.addresses import PageNumber, permalink
from envparity_server.dashboard.drift_views import told
from envparity_server.dashboard.forms import Form, may, read_form, require
from envparity_server.dashboard.pages import page, require_person, seen_by
from envparity_server.dashboard.suggestions import FEW_HOSTS, suggest
from envparity_server.drift.life import OPEN
from envparity_server.storage import changes, content, drifts, history, hosts, standings
from envparity_server.storage.actors import Environments, Role, narrowed
from envparity_server.storage.clones import clones
from envparity_server.storage.content import StoredSection, detached
from envparity_server.storage.database import reading, writing
from envparity_server.storage.drifts import Wanted
from envparity_server.storage.hosts import GONE, Host
from envparity_server.storage.standings import STANDINGS

router = APIRouter(include_in_schema=False, dependencies=[Depends(require_person)])

PAGE_ROWS = 50
MAX_CHANGES = 200  # newest ones of a host
MAX_DRIFTS = 10  # of a host that are named on its page
PAGE_ITEMS = 100
MAX_SECTIONS = 500
SKEWED = 60  # seconds that a clock may be off before it is worth a word

Text = Annotated[str, Query(max_length=200, pattern=r"^[^\x00]*$")]
Standing = Literal["", "in drift", "stale", "not compared", "never reported", "in parity", "expired", "retired"]


@dataclass(frozen=True)
class Filters:
    """Which hosts the list is of, as its address says."""

    q: str = ""
    environment: str = ""
    state: str = ""
    page: int = 1

    def fit(self, host: Host) -> bool:
        """Whether a host is one of them, whatever its state."""
        return self.environment in ("", host.environment) and hosts.matches(host, self.q)

    def address(self, page: int = 1, **changed: str) -> str:
        """The permalink of the list, or of one that differs in something; the first page of that."""
        told = {"q": self.q, "environment": self.environment, "state": self.state, **changed}
        return permalink("/hosts", page, **told)


def _filters(
    q: Text = "",
    environment: Text = "",
    state: Standing = "",
    page: Annotated[int, Query(ge=1, le=100_000)] = 1,
) -> Filters:
    return Filters(q, environment, state, page)


Filtered = Annotated[Filters, Depends(_filters)]


@router.get("/hosts")
def show_hosts(request: Request, filters: Filtered) -> Response:
    """Every host that is not gone on purpose, or those of a state, an environment, some words."""
    moment, seen = now(), seen_by(request)
    with reading(engine_of(request)) as connection:
        # of the retired ones there are many, and they are seldom looked for
        with_retired = bool(filters.q) or filters.state == "retired"
        everyone = hosts.all_hosts(connection, seen, with_retired)
        drifting, compared = standings.open_drifts(connection, seen), standings.compared(connection, seen)
        known = {
            one.id: standings.standing(one, drifting.get(one.id, {}), one.id in compared, moment) for one in everyone
        }
        fitting = [one for one in everyone if filters.fit(one)]
        counts = Counter(known[one.id] for one in fitting)
        if not with_retired:
            counts["retired"] = hosts.count_retired(connection, narrowed(seen, filters.environment))
        chosen = [one for one in fitting if _is_wanted(filters.state, known[one.id])]
        chosen.sort(key=lambda one: (STANDINGS.index(known[one.id]), one.name))
        shown = chosen[(filters.page - 1) * PAGE_ROWS : filters.page * PAGE_ROWS]
        present, notes = _present(connection, [one.id for one in shown]), clones(everyone)
        few = len(everyone) < FEW_HOSTS and filters == Filters()
        return page(
            request,
            "hosts.html",
            filters=filters,
            rows=[
                host_views.row(
                    one, known[one.id], drifting.get(one.id, {}), present.get(one.id, {}), notes.get(one.id, "")
                )
                for one in shown
            ],
            chips=[(one, counts[one]) for one in STANDINGS if counts[one] or one == filters.state],
            total=len(everyone),
            staying=sum(counts[one] for one in STANDINGS if one not in GONE),
            matching=len(chosen),
            pages=-(-len(chosen) // PAGE_ROWS),
            environments=hosts.environments(connection, seen),
            suggestions=suggest(connection, everyone, moment) if few else [],
            may_add=may(request, Role.ADMIN),
        )


def _is_wanted(state: str, standing: str) -> bool:
    """Whether a host of a standing is in a list; what is gone on purpose only where that is asked for."""
    return standing == state if state else standing not in GONE


def _present(connection: Connection, host_ids: Iterable[str]) -> dict[str, dict[str, StoredSection]]:
    """The sections of hosts that have reported, by host."""
    present = history.at(connection, host_ids)
    return content.stored(connection, {host_id: tree.sections for host_id, tree in present.items()})


@router.get("/hosts/{host_id}")
def show_host(
    request: Request,
    host_id: str,
    section: Annotated[str, Query(max_length=1024)] = "",
    words: Annotated[str, Query(alias="filter", max_length=200)] = "",
    item: Text = "",
    number: PageNumber = 1,
) -> Response:
    """One host: how it stands, what it runs on, its changes, and the items of a section that is asked for."""
    seen = seen_by(request)
    with reading(engine_of(request)) as connection:
        host = _known(connection, host_id, seen)
        sections = _present(connection, [host.id]).get(host.id, {})
        content.open_wholly(one for one in sections.values() if one.kind == "container")
        opened = sections.get(section)
        items = [one for one in sorted(opened.items.items()) if item.lower() in one[0].lower()] if opened else []
        fitting = host_views.matching(sections, words)
        shown = dict(list(fitting.items())[:MAX_SECTIONS])
        return page(
            request,
            "host.html",
            host=host,
            cards=host_views.glance(sections) if sections else [],
            groups=host_views.groups(shown, sections),
            gaps=host_views.gaps(sections),
            title=title,
            words=words,
            fitting=len(fitting),
            total=len(sections),
            most_sections=MAX_SECTIONS,
            opened=opened,
            items=items[(number - 1) * PAGE_ITEMS : number * PAGE_ITEMS],
            item=item,
            matching=len(items),
            number=number,
            pages=-(-len(items) // PAGE_ITEMS),
            page_address=partial(permalink, f"/hosts/{host.id}", section=section, filter=words, item=item),
            facts=host_views.facts,
            clock=host_views.clock,
            span=host_views.span,
            **_told(request, connection, host),
            **_changed(connection, host),
        )


def _told(request: Request, connection: Connection, host: Host) -> dict[str, Any]:
    """How the host stands, what it drifts in, what is odd about it, and what the person may do."""
    seen = seen_by(request)
    wanted = Wanted(OPEN, subjects=[host.id])
    found, count = drifts.listed(connection, wanted, seen, MAX_DRIFTS)
    counts = standings.open_drifts(connection, seen, host.id).get(host.id, Counter())
    is_compared = host.id in standings.compared(connection, seen, host.id)
    return {
        "standing": standings.standing(host, counts, is_compared, now()),
        "drifts": found,
        "drift_count": count,
        "severities": host_views.by_severity(counts),
        "told": told,
        "clone": clones(hosts.all_hosts(connection, seen)).get(host.id, ""),
        "is_skewed": abs(host.skew or 0) >= SKEWED,
        "may_change": may(request, Role.OPERATOR) and host.retired_at is None,
        "environments": hosts.environments(connection, seen),
    }


def _changed(connection: Connection, host: Host) -> dict[str, Any]:
    """The newest changes by the report that had them, and how many there are in all."""
    found, count = changes.of_hosts(connection, [host.id], limit=MAX_CHANGES)
    return {"moments": host_views.moments(host, found), "change_count": count, "most_changes": MAX_CHANGES}


def _known(connection: Connection, host_id: str, seen: Environments) -> Host:
    host = hosts.by_id(connection, host_id, seen) if host_id.isalnum() else None  # PostgreSQL takes no NUL
    if host is None:
        raise HTTPException(HTTPStatus.NOT_FOUND, f"no host {host_id[:64]}")
    return host


@router.post("/hosts/{host_id}")
async def change_host(request: Request, host_id: str) -> Response:
    """Give the host the name, the environment and the labels of the form."""
    return await run_in_threadpool(_change, request, host_id, await read_form(request))


def _change(request: Request, host_id: str, form: Form) -> Response:
    actor = require(request, Role.OPERATOR)
    with writing(engine_of(request)) as connection:
        host = _known(connection, host_id, actor.environments)
        labels = {**dict.fromkeys(host.labels), **_labels(form.text("labels"))}
        try:
            body = HostChange.model_validate(
                {"name": form.text("name"), "environment": form.text("environment"), "labels": labels}
            )
        except ValidationError as problem:
            first = problem.errors()[0]
            raise UsageError(f"{first['loc'][0]}: {first['msg']}", "go back, and write it otherwise") from None
        changed(connection, host.id, body, actor)
    return RedirectResponse(f"/hosts/{host.id}", HTTPStatus.SEE_OTHER)


def _labels(words: str) -> Mapping[str, str]:
    """The labels of `role=web zone=a`; raises UsageError."""
    found = {}
    for word in words.replace(",", " ").split():
        key, _, value = word.partition("=")
        if not value:
            raise UsageError(f"{word[:80]!r} is not a label", "go back; a label is KEY=VALUE: role=web")
        found[key] = value
    return found


@router.post("/hosts/{host_id}/retire")
async def retire_host(request: Request, host_id: str) -> Response:
    """Retire the host, if the box that says so is ticked."""
    return await run_in_threadpool(_retire, request, host_id, await read_form(request))


def _retire(request: Request, host_id: str, form: Form) -> Response:
    actor = require(request, Role.OPERATOR)
    if not form.text("sure"):
        raise UsageError("the box is not ticked", "go back, and tick it if the host is to be retired")
    with writing(engine_of(request)) as connection:
        retired(connection, _known(connection, host_id, actor.environments).id, actor)
    return RedirectResponse(f"/hosts/{host_id}", HTTPStatus.SEE_OTHER)


@router.get("/hosts/{host_id}/fingerprint.json")
def raw(request: Request, host_id: str) -> Response:
    """The host's last fingerprint as a document."""
    with reading(engine_of(request)) as connection:
        host = _known(connection, host_id, seen_by(request))
        if host.root is None:
            raise HTTPException(HTTPStatus.NOT_FOUND, f"{host.name} has not reported yet")
        sections = _present(connection, [host.id])[host.id]
        document = detached(Target("host", host.name), host.taken_at or "", sections).document()
    return JSONResponse({**document, "identity": host.identity, "observed": host.observed})
