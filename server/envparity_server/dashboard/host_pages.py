"""The pages Hosts and Host."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from itertools import pairwise
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse
from sqlalchemy import Connection
from starlette.exceptions import HTTPException
from starlette.responses import Response

from envparity_agent.fingerprint import Attributes, SectionLike, Target
from envparity_agent.kinds import title
from envparity_server.api.authentication import engine_of, now
from envparity_server.compare.covering import container_of, is_complete
from envparity_server.compare.differences import compare
from envparity_server.compare.groups import FOLD_OVER, severities, text
from envparity_server.dashboard.pages import compare_address, page, require_person, seen_by
from envparity_server.dashboard.suggestions import FEW_HOSTS, suggest
from envparity_server.drift.severity import rate
from envparity_server.storage import content, history, hosts
from envparity_server.storage.actors import Environments
from envparity_server.storage.content import StoredFingerprint, StoredSection, detached
from envparity_server.storage.database import reading
from envparity_server.storage.hosts import Host

router = APIRouter(include_in_schema=False, dependencies=[Depends(require_person)])

PAGE_ROWS = 50
MAX_CHANGES = 20
MAX_ITEMS = 500


@dataclass(frozen=True)
class _Row:
    """A host with what its fingerprint says first."""

    host: Host
    state: str
    system: str
    pythons: int
    containers: str


@dataclass(frozen=True)
class _Group:
    """The sections of one container, or whose paths begin alike."""

    name: str
    sections: tuple[StoredSection, ...]

    @property
    def is_folded(self) -> bool:
        """Whether there are too many to show at once."""
        return len(self.sections) > FOLD_OVER

    @property
    def digest(self) -> str:
        """The group in one line: `214 sections, 3 of them not complete`."""
        gaps = sum(not is_complete(one) for one in self.sections)
        return f"{len(self.sections)} sections" + (f", {gaps} of them not complete" if gaps else "")


@dataclass(frozen=True)
class _Change:
    """Two successive roots of a host: what differs, and between which reports it changed."""

    after: datetime  # the last report with the old root
    before: datetime  # the first report with the new one
    summary: str
    address: str


@router.get("/hosts")
def show_hosts(
    request: Request,
    q: Annotated[str, Query(max_length=200)] = "",
    number: Annotated[int, Query(alias="page", ge=1, le=100_000)] = 1,
) -> Response:
    """Every host, or those whose name, environment or label has the text."""
    moment = now()
    with reading(engine_of(request)) as connection:
        everyone = hosts.all_hosts(connection, seen_by(request))
        chosen = [one for one in everyone if hosts.matches(one, q)]
        shown = chosen[(number - 1) * PAGE_ROWS : number * PAGE_ROWS]
        present = _present(connection, [one.id for one in shown])
        rows = [_row(one, present.get(one.id, {}), moment) for one in shown]
        suggestions = suggest(connection, everyone, moment) if len(everyone) < FEW_HOSTS and not q else []
    states = [one.state(moment) for one in everyone]
    return page(
        request,
        "hosts.html",
        rows=rows,
        counts={state: states.count(state) for state in ("fresh", "stale", "never reported")},
        total=len(everyone),
        matching=len(chosen),
        q=q,
        number=number,
        pages=-(-len(chosen) // PAGE_ROWS),
        suggestions=suggestions,
    )


def _present(connection: Connection, host_ids: Iterable[str]) -> dict[str, dict[str, StoredSection]]:
    """The sections of hosts that have reported, by host."""
    present = history.at(connection, host_ids)
    return content.stored(connection, {host_id: tree.sections for host_id, tree in present.items()})


def _row(host: Host, sections: Mapping[str, StoredSection], moment: datetime) -> _Row:
    engine = sections.get("containers")
    containers = sum(one.kind == "container" for one in sections.values())
    told = str(containers) if engine and engine.status == "ok" else ", ".join(engine.reasons) if engine else ""
    pythons = sum(one.kind == "python" for one in sections.values())
    return _Row(host, host.state(moment), system_name(sections), pythons, told)


def system_name(sections: Mapping[str, SectionLike]) -> str:
    """The operating system in a few words, or why it is not known."""
    section = sections.get("os")
    if section is None:
        return ""
    facts = section.items.get("distribution", {})
    return str(facts.get("name") or facts.get("id") or section.status)


@router.get("/hosts/{host_id}")
def show_host(request: Request, host_id: str, section: Annotated[str, Query(max_length=1024)] = "") -> Response:
    """One host: its sections, its changes, and the items of a section that is asked for."""
    moment = now()
    with reading(engine_of(request)) as connection:
        host = _known(connection, host_id, seen_by(request))
        sections = _present(connection, [host.id]).get(host.id, {})
        opened = sections.get(section)
        return page(
            request,
            "host.html",
            host=host,
            state=host.state(moment),
            system=system_name(sections),
            groups=_groups(sections),
            title=title,
            opened=opened,
            items=sorted(opened.items.items())[:MAX_ITEMS] if opened else [],
            most=MAX_ITEMS,
            facts=_facts,
            changes=_changes(connection, host),
        )


def _groups(sections: Mapping[str, StoredSection]) -> list[_Group]:
    by_name: dict[str, list[StoredSection]] = {}
    for path, section in sorted(sections.items()):
        own = path if section.kind == "container" else container_of(sections, path)
        by_name.setdefault(own or path.partition("/")[0], []).append(section)
    return [_Group(name, tuple(members)) for name, members in by_name.items()]


def _known(connection: Connection, host_id: str, seen: Environments) -> Host:
    host = hosts.by_id(connection, host_id, seen) if host_id.isalnum() else None  # PostgreSQL takes no NUL
    if host is None:
        raise HTTPException(HTTPStatus.NOT_FOUND, f"no host {host_id[:64]}")
    return host


def _facts(attributes: Attributes) -> list[tuple[str, str]]:
    """The attributes of an item as text, the version first."""
    shown = sorted(attributes.items(), key=lambda fact: (fact[0] != "version", fact[0]))
    return [(key, text(value)) for key, value in shown]


def _changes(connection: Connection, host: Host) -> list[_Change]:
    intervals = history.intervals(connection, host.id, MAX_CHANGES + 1)
    ran = {one.first_seen: history.at(connection, [host.id], one.first_seen)[host.id].sections for one in intervals}
    trees = content.stored(connection, ran)
    content.open_differing(trees.values(), whole=False)
    target = Target("host", host.name)
    changes = []
    for new, old in pairwise(intervals):
        before, after = (StoredFingerprint(target, "", trees[one.first_seen]) for one in (old, new))
        comparison = rate(compare(before, after))
        if not comparison.differences:
            continue  # only what is kept for people moved: there is no difference to show
        address = compare_address(
            f"host:{host.id}@{(old.last_seen or old.first_seen).isoformat()}",
            f"host:{host.id}@{new.first_seen.isoformat()}",
        )
        told = severities(comparison.differences) or "something could not be read"
        changes.append(_Change(old.last_seen or old.first_seen, new.first_seen, told, address))
    return changes


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
