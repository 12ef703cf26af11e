"""Several selectors side by side: items by columns, each column against a reference."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import Field

from envparity_agent.errors import UsageError
from envparity_agent.fingerprint import SectionLike
from envparity_server.api.authentication import engine_of, now
from envparity_server.api.lists import Answer, Limit, Offset, Text
from envparity_server.api.roles import Acting
from envparity_server.compare.covering import is_complete
from envparity_server.compare.scope import parse_scope
from envparity_server.drift.pivot import Cell, Pivot, Stands
from envparity_server.drift.tally import share
from envparity_server.references import Votes, votes
from envparity_server.storage.database import reading

router = APIRouter(prefix="/api/v1", tags=["pivot"])

MOST_COLUMNS = 60


class Column(Answer):
    """A selector, and what must be said beside it."""

    of: str = Field(examples=["env:prod"])
    hosts: int = Field(description="How many speak for it: fresh ones that last.", examples=[300])
    notes: list[str]


class PivotCell(Answer):
    """What a column has."""

    section: str | None = Field(description="Its own path, where that is another one: an environment that was paired.")
    value: str | None = Field(description="The majority's; none where it has none, or its hosts do not agree.")
    share: str | None = Field(description="Of the commonest value.", examples=["212 of 300"])
    state: Stands = Field(description="Against the reference column.")


class Row(Answer):
    """One item over all columns."""

    section: str
    kind: str
    item: str | None = Field(description="None: the whole section.")
    cells: list[PivotCell] = Field(description="In the order of the columns.")


class PivotAnswer(Answer):
    """Columns and rows."""

    columns: list[Column]
    reference: int = Field(description="Which of the columns the others are held against.")
    rows: list[Row]
    total: int = Field(description="How many rows there are to page through.")


@router.get("/pivot")
def pivot(
    request: Request,
    actor: Acting,
    of: Annotated[list[Text], Query(min_length=2, max_length=MOST_COLUMNS, description="The columns: selectors.")],
    reference: Annotated[Text, Query(description="One of the columns; the last by default.")] = "",
    kind: Annotated[Text, Query(description="Only these kinds or paths: python,os-packages.")] = "",
    only_different: bool = True,
    limit: Limit = 100,
    offset: Offset = 0,
) -> PivotAnswer:
    """What several selectors have, item by item; by default where one of them is not the same as the reference.

    `GET /api/v1/pivot?of=env:dev&of=env:test&of=env:prod&reference=env:prod&kind=python`
    """
    if reference and reference not in of:
        raise UsageError(f"the reference {reference} is none of the columns", f"columns: {', '.join(of)}")
    scope, moment = parse_scope(kind), now()
    place = of.index(reference) if reference else len(of) - 1
    with reading(engine_of(request)) as connection:
        columns = [votes(connection, text, moment, actor.environments) for text in of]
        table = Pivot([one.agreed(connection).fingerprint for one in columns], place, scope, only_different)
        counted = [_Sections(one) for one in columns]
        rows = [
            Row(
                section=one.section,
                kind=table.kind(one),
                item=one.item or None,
                cells=[
                    _cell(cell, sections, one.section, one.item)
                    for cell, sections in zip(table.row(one), counted, strict=True)
                ],
            )
            for one in table.places[offset : offset + limit]
        ]
    told = [
        Column(of=text, hosts=len(one.by_host), notes=list(one.notes)) for text, one in zip(of, columns, strict=True)
    ]
    return PivotAnswer(columns=told, reference=place, rows=rows, total=len(table.places))


class _Sections:
    """The sections of a column's hosts by path, looked up once."""

    def __init__(self, column: Votes) -> None:
        self._votes = list(column.by_host.values())
        self._held: dict[str, list[tuple[int, SectionLike]]] = {}

    @property
    def hosts(self) -> int:
        """How many there are."""
        return len(self._votes)

    def at(self, path: str) -> Sequence[tuple[int, SectionLike]]:
        """Those that could be read whole, each with its host's position."""
        if path not in self._held:
            found = ((place, vote.sections.get(path)) for place, vote in enumerate(self._votes))
            self._held[path] = [(place, one) for place, one in found if one and is_complete(one)]
        return self._held[path]


def _cell(cell: Cell, sections: _Sections, path: str, item: str) -> PivotCell:
    good = sections.at(cell.section) if cell.section else ()
    if not item:
        told = f"{len(good)} of {sections.hosts}" if good else None
    else:
        told = "{} of {}".format(*share(good, item)) if good else None
    own = cell.section if cell.section != path else ""
    return PivotCell(section=own or None, value=cell.value or None, share=told, state=cell.state)
