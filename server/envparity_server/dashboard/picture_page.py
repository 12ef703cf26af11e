"""The page All in one picture: every package by every host, a byte a cell, and the tables of who differs the most."""

import gzip
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, TypeVar

from fastapi import APIRouter, Depends, Query, Request
from sqlalchemy import Connection
from starlette.responses import Response

from envparity_server.api.authentication import engine_of, now
from envparity_server.dashboard.addresses import PageNumber, package_address
from envparity_server.dashboard.fleet import KINDS, PACKAGES, Fleet, fleet_of
from envparity_server.dashboard.matrix_page import Kind
from envparity_server.dashboard.pages import compare_address, page, require_person, seen_by
from envparity_server.dashboard.stages import in_order
from envparity_server.drift.matrix import Line
from envparity_server.drift.picture import MOST_VALUES, Picture, Shade, drawn
from envparity_server.references import group_of
from envparity_server.storage import hosts
from envparity_server.storage.actors import Environments
from envparity_server.storage.database import reading
from envparity_server.storage.hosts import Host

router = APIRouter(include_in_schema=False, dependencies=[Depends(require_person)])

PAGE_ROWS = 25
MOST_HOSTS = 2000
MOST_LINES = 5000
_LONGEST = 80  # characters of a value in the picture

_Row = TypeVar("_Row")


@dataclass(frozen=True)
class Drawing:
    """The picture with what its rows and columns are: lines on which the most hosts deviate first, hosts by group."""

    fleet: Fleet
    hosts: tuple[Host, ...]
    lines: tuple[Line, ...]
    picture: Picture
    all_hosts: int
    all_lines: int

    @property
    def environments(self) -> list[tuple[str, int]]:
        """The environments from left to right, with how many hosts of each there are."""
        counted: dict[str, int] = {}
        for one in self.hosts[: len(self.fleet.hosts)]:
            counted[one.environment] = counted.get(one.environment, 0) + 1
        return list(counted.items())


def _drawing(connection: Connection, kind: str, seen: Environments) -> Drawing:
    everyone = list(hosts.all_hosts(connection, seen))
    ranks = {name: rank for rank, name in enumerate(in_order({one.environment for one in everyone}))}
    everyone.sort(key=lambda one: (ranks[one.environment], group_of(one), one.name))
    fleet = fleet_of(connection, everyone[:MOST_HOSTS], KINDS[kind][0], now())
    found = sorted(fleet.lines(everything=True), key=lambda one: -one.deviating)
    shown = tuple(found[:MOST_LINES])
    across = fleet.hosts + fleet.stale
    picture = drawn(shown, len(across), range(len(fleet.hosts), len(across)))
    return Drawing(fleet, across, shown, picture, len(everyone), len(found))


@router.get("/matrix/all")
def show_picture(
    request: Request,
    kind: Kind = PACKAGES,
    number: PageNumber = 1,
    hosts_number: Annotated[int, Query(alias="hosts", ge=1, le=100_000)] = 1,
) -> Response:
    """The picture, which its script fetches, and its tables."""
    with reading(engine_of(request)) as connection:
        found = _drawing(connection, kind, seen_by(request))
    differing = [one for one in found.lines if one.deviating]
    counted = [
        (host, count, compare_address(f"env:{host.environment}", f"host:{host.id}", only=",".join(KINDS[kind][0])))
        for host, count in sorted(
            zip(found.hosts, found.picture.deviations, strict=True), key=lambda one: (-one[1], one[0].name)
        )
        if count
    ]
    return page(
        request,
        "matrix_all.html",
        drawing=found,
        kind=kind,
        kinds=KINDS,
        shades=list(Shade),
        lines=[(one, package_address(one.part.path, one.item)) for one in _cut(differing, number)],
        differing=len(differing),
        number=number,
        hosts=_cut(counted, hosts_number),
        deviating=len(counted),
        hosts_number=hosts_number,
        rows=PAGE_ROWS,
    )


def _cut(rows: Sequence[_Row], number: int) -> Sequence[_Row]:
    return rows[(number - 1) * PAGE_ROWS : number * PAGE_ROWS]


@router.get("/matrix/all.bin")
def fetch_picture(request: Request, kind: Kind = PACKAGES) -> Response:
    """Four bytes that say how long the header is, the header as JSON, then the cells row by row.

    The header has the hosts (id, name, environment) and the lines (section, item, values by their numbers).
    """
    with reading(engine_of(request)) as connection:
        found = _drawing(connection, kind, seen_by(request))
    header = {
        "hosts": [[one.id, one.name, one.environment] for one in found.hosts],
        "lines": [
            [one.part.path, one.item, [word[:_LONGEST] for word in one.words[:MOST_VALUES]]] for one in found.lines
        ],
    }
    head = json.dumps(header, separators=(",", ":")).encode()
    body = b"".join((len(head).to_bytes(4), head, *found.picture.rows))
    headers = {}
    if "gzip" in request.headers.get("accept-encoding", ""):  # most of it is one byte over and over
        body, headers = gzip.compress(body, compresslevel=1), {"Content-Encoding": "gzip"}
    return Response(body, media_type="application/octet-stream", headers=headers)
