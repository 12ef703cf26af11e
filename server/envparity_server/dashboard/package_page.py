"""The pages Packages and Package: what is in use in how many versions; of one, where, since when, and who deviates."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from envparity_agent.kinds import KINDS as SCHEMAS
from envparity_agent.kinds import title
from envparity_server.api.authentication import engine_of, now
from envparity_server.dashboard.addresses import PageNumber, Text
from envparity_server.dashboard.fleet import KINDS, PACKAGES, fleet_of
from envparity_server.dashboard.matrix_page import Kind
from envparity_server.dashboard.package_view import packages_of, standings_of, versions_of
from envparity_server.dashboard.pages import page, require_person, seen_by
from envparity_server.dashboard.stages import in_order
from envparity_server.storage import changes, hosts, items
from envparity_server.storage.actors import narrowed
from envparity_server.storage.database import reading

router = APIRouter(include_in_schema=False, dependencies=[Depends(require_person)])

PAGE_ROWS = 50
MOST_CHANGES = 20
MOST_SECTIONS = 50
MOST_VERSIONS = 100

Name = Annotated[str, Query(min_length=1, max_length=1024, pattern=r"^[^\x00]*$")]


@router.get("/packages")
def show_packages(request: Request, kind: Kind = PACKAGES, q: Text = "", number: PageNumber = 1) -> Response:
    """What hosts have of a kind, by name; first that on which the most hosts deviate."""
    with reading(engine_of(request)) as connection:
        seen = seen_by(request)
        fleet = fleet_of(connection, hosts.all_hosts(connection, seen), KINDS[kind][0], now())
        everything = packages_of(fleet.lines(everything=True))
    words = q.lower().split()
    found = [one for one in everything if all(word in one.item.lower() for word in words)]
    return page(
        request, "packages.html", packages=found[(number - 1) * PAGE_ROWS : number * PAGE_ROWS], matching=len(found),
        total=len(everything), notes=fleet.notes, kind=kind, kinds=KINDS, q=q, number=number,
        pages=-(-len(found) // PAGE_ROWS), title=title,
    )  # fmt: skip


@router.get("/packages/item")
def show_package(
    request: Request, section: Name, item: Name, value: Text = "", environment: Text = "", number: PageNumber = 1
) -> Response:
    """An item of a section, or of all sections of a kind: its values, who has them, and how it changed."""
    kind, path = (section, "") if section in {name for name, _ in SCHEMAS} else ("", section)
    with reading(engine_of(request)) as connection:
        seen = seen_by(request)
        everyone = hosts.all_hosts(connection, seen)
        fleet = fleet_of(connection, everyone, [kind] if kind else [], now(), path)
        found = list(fleet.lines(everything=True, only=item))
        asked = narrowed(seen, environment)
        start = (number - 1) * PAGE_ROWS
        holders, total = items.having(connection, item, value or None, asked, kind, PAGE_ROWS, start, path)
        mine = [one.id for one in everyone]
        changed, all_changes = changes.of_hosts(
            connection, mine, limit=MOST_CHANGES, section=path, item=item, kind=kind
        )
    return page(
        request,
        "package.html",
        section=section,
        item=item,
        what=title(kind or (found[0].part.kind if found else "")),
        value=value,
        environment=environment,
        environments=in_order({one.environment for one in fleet.hosts}),
        versions=versions_of(found, fleet.hosts)[:MOST_VERSIONS],
        lines=sorted(found, key=lambda one: -one.deviating)[:MOST_SECTIONS],
        all_lines=len(found),
        standings=standings_of(found, fleet.hosts),
        notes=fleet.notes,
        holders=holders,
        total=total,
        number=number,
        pages=-(-total // PAGE_ROWS),
        changes=changed,
        all_changes=all_changes,
        names={one.id: one.name for one in everyone},
    )
