"""The page Matrix: packages across environments, or across the groups of identical hosts of one of them."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import StringIO
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response, StreamingResponse

from envparity_agent.errors import EnvparityError
from envparity_server.api.authentication import engine_of, now
from envparity_server.api.problems import status_of
from envparity_server.dashboard.addresses import PageNumber, Text, package_address
from envparity_server.dashboard.fleet import KINDS, PACKAGES
from envparity_server.dashboard.matrix_view import Matrix, Wanted, matrix_of
from envparity_server.dashboard.pages import compare_address, page, require_person, seen_by
from envparity_server.drift.matrix import Cell, Line
from envparity_server.drift.pivot import Stands
from envparity_server.reports.table import cell
from envparity_server.storage import hosts
from envparity_server.storage.database import reading

router = APIRouter(include_in_schema=False, dependencies=[Depends(require_person)])

PAGE_ROWS = 50
_MOST_NAMES = 5
_MOST_VALUES = 3  # of a column whose hosts do not agree

Kind = Annotated[str, Query(pattern=f"^({'|'.join(KINDS)})$")]


@dataclass(frozen=True)
class Shown:
    """A cell in words, with the page that tells more of it."""

    state: Stands
    words: str
    more: str = ""
    address: str = ""
    values: tuple[tuple[str, int], ...] = ()  # of a column whose hosts do not agree: the commonest, and on how many


def wanted_of(
    of: Text = "", against: Text = "", kind: Kind = PACKAGES, q: Text = "", everything: bool = False
) -> Wanted:
    """What the address asks for."""
    return Wanted(of.strip(), against, kind, q.strip(), everything)


@router.get("/matrix")
def show_matrix(
    request: Request,
    wanted: Annotated[Wanted, Depends(wanted_of)],
    number: PageNumber = 1,
) -> Response:
    """Fifty lines of it."""
    with reading(engine_of(request)) as connection:
        seen = seen_by(request)
        values: dict[str, Any] = {"wanted": wanted, "kinds": KINDS, "known": hosts.environments(connection, seen)}
        try:
            found = matrix_of(connection, wanted, seen, now())
        except EnvparityError as problem:
            return page(request, "matrix.html", status_of(problem), problem=problem, **values)
    shown = found.lines[(number - 1) * PAGE_ROWS : number * PAGE_ROWS]
    rows = [
        {
            "line": line,
            "address": package_address(line.part.path, line.item) if line.item else "",
            "cells": [_shown(found, wanted, line, place, one) for place, one in enumerate(found.cells.row(line))],
        }
        for line in shown
    ]
    return page(
        request, "matrix.html", matrix=found, rows=rows, gaps=_gaps(found, shown), matching=len(found.lines),
        number=number, pages=-(-len(found.lines) // PAGE_ROWS), **values,
    )  # fmt: skip


def _gaps(found: Matrix, shown: Sequence[Line]) -> list[str]:
    """What could not be read of the sections that are shown, in sentences."""
    parts = dict.fromkeys(line.part for line in shown if line.part.unread)
    return [
        f"{part.path} could not be read on {_few([found.fleet.hosts[place].name for place in part.unread])}"
        for part in parts
    ]


def _few(names: Sequence[str]) -> str:
    more = len(names) - _MOST_NAMES
    return ", ".join(names[:_MOST_NAMES]) + (f" and {more} more hosts" if more > 0 else "")


def _shown(matrix: Matrix, wanted: Wanted, line: Line, place: int, one: Cell) -> Shown:
    words, more = told(one)
    if one.state == Stands.SAME and not more:
        return Shown(one.state, words)
    column = matrix.columns[place]
    address = package_address(line.part.path, line.item) if line.item else ""
    if wanted.against and column.name != wanted.against:
        address = compare_address(f"env:{wanted.against}", column.selector, section=line.part.path)
    if one.state == Stands.SPLIT and one.voters:
        return Shown(one.state, "split", _others(one), address, tuple(one.values[:_MOST_VALUES]))
    return Shown(one.state, words, more, address)


def told(one: Cell) -> tuple[str, str]:
    """A cell in words, and what must be said beside them."""
    if not one.voters:
        return ("no such section" if one.state == Stands.MISSING else "not read"), ""
    if one.state == Stands.SPLIT:
        few = ", ".join(f"{value} x {hosts}" for value, hosts in one.values[:_MOST_VALUES])
        return " ".join(filter(None, (few, _others(one)))), ""
    return one.value, f"{one.hosts} of {one.voters}" if one.hosts < one.voters else ""


def _others(one: Cell) -> str:
    others = len(one.values) - _MOST_VALUES
    return f"and {others} more" if others > 0 else ""


@router.get("/matrix.csv")
def export_matrix(request: Request, wanted: Annotated[Wanted, Depends(wanted_of)]) -> Response:
    """All lines as comma-separated values."""
    with reading(engine_of(request)) as connection:
        found = matrix_of(connection, wanted, seen_by(request), now())
    headers = {"Content-Disposition": 'attachment; filename="matrix.csv"'}
    return StreamingResponse(_table(found), media_type="text/csv", headers=headers)


def _table(found: Matrix) -> Iterator[str]:
    heads = [f"{one.name}{what}" for one in found.columns for what in ("", ": state")]
    yield _row(["section", "item", *heads])
    for line in found.lines:
        cells = [text for one in found.cells.row(line) for text in (" ".join(filter(None, told(one))), str(one.state))]
        yield _row([line.part.path, line.item, *cells])


def _row(foreign: list[str]) -> str:
    row = StringIO()
    csv.writer(row, lineterminator="\n").writerow([cell(one) for one in foreign])
    return row.getvalue()
