"""The page Timeline: what changed in the fleet, by day."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from sqlalchemy import Connection
from starlette.responses import Response

from envparity_agent.kinds import KINDS
from envparity_server.api.authentication import engine_of, now
from envparity_server.dashboard.addresses import PageNumber, Text, package_address, permalink
from envparity_server.dashboard.pages import page, require_person, seen_by
from envparity_server.storage import deploys, hosts, timeline
from envparity_server.storage.actors import Environments
from envparity_server.storage.changes import Change
from envparity_server.storage.database import reading
from envparity_server.storage.deploys import Deploy
from envparity_server.storage.gate_runs import is_web
from envparity_server.storage.timeline import ANY, Line, Wanted

router = APIRouter(include_in_schema=False, dependencies=[Depends(require_person)])

_WINDOW = timedelta(days=30)  # of the chart
_DAYS = 3  # told on one page
_FIRST_LINES = 15  # of each of them
PAGE_ROWS = 100  # lines of a day alone
_MOST_HOSTS = 200  # named beside one line
_MOST_DEPLOYS = 50  # of a day
_KINDS = {kind: declared.title for (kind, _), declared in KINDS.items()}

Day = Annotated[date | None, Query(ge=date(2000, 1, 1), lt=date(3000, 1, 1))]


@dataclass(frozen=True)
class _Day:
    """A day with its deploys and some lines of its changes."""

    date: date
    changes: int
    lines: list[Line]
    all_lines: int
    deploys: list[Deploy]


@router.get("/timeline")
def show_timeline(
    request: Request,
    environment: Text = "",
    host: Text = "",
    kind: Text = "",
    q: Text = "",
    section: Text = "",
    item: Text = "",
    day: Day = None,
    until: Day = None,
    number: PageNumber = 1,
) -> Response:
    """The newest days that had changes, or those before `until`, or one day alone; and a month in figures."""
    wanted, seen = Wanted(environment, host.strip(), kind, q.strip(), section, item), seen_by(request)
    today = _end(now().date())
    with reading(engine_of(request)) as connection:
        end = _end(day) if day else _begin(until) if until else today
        last = timeline.newest(connection, wanted, seen, end)
        if last and not day and last < end - _WINDOW:
            end = day_of(last)[1]
        begin = end - _WINDOW
        counts = timeline.counted(connection, wanted, seen, begin, end)
        told = [day] if day else list(counts)[:_DAYS]
        rows = (PAGE_ROWS, (number - 1) * PAGE_ROWS) if day else (_FIRST_LINES, 0)
        days = [_told(connection, wanted, seen, one, counts.get(one, 0), rows) for one in told]
        goes_on = bool(told) and not day and timeline.newest(connection, wanted, seen, _begin(told[-1])) is not None
        return page(
            request,
            "timeline.html",
            wanted=wanted,
            day=day,
            until=until,
            days=days,
            older=told[-1] if goes_on else None,
            counts=_every_day(counts, begin, end),
            is_empty=not last and timeline.newest(connection, ANY, seen, today) is None,
            environments=hosts.environments(connection, seen),
            kinds=_KINDS,
            number=number,
            most_hosts=_MOST_HOSTS,
            page_rows=PAGE_ROWS,
            is_web=is_web,
            item_address=item_address,
            line_address=line_address,
            timeline_address=timeline_address,
        )


def _told(
    connection: Connection, wanted: Wanted, seen: Environments, day: date, changes: int, rows: tuple[int, int]
) -> _Day:
    begin, end = _begin(day), _end(day)
    lines, all_lines = timeline.lines(connection, wanted, seen, begin, end, *rows)
    marks = deploys.begun(connection, begin, end, seen, _MOST_DEPLOYS)
    return _Day(day, changes, lines, all_lines, [one for one in marks if wanted.environment in ("", one.environment)])


def _begin(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _end(day: date) -> datetime:
    return _begin(day) + timedelta(days=1)


def day_of(moment: datetime) -> tuple[datetime, datetime]:
    """The day of a moment in UTC: its beginning and its end."""
    return _begin(moment.date()), _end(moment.date())


def _every_day(counts: Mapping[date, int], begin: datetime, end: datetime) -> list[tuple[date, int]]:
    """A month with its days that had no change, the oldest first: what the chart shows."""
    days = ((begin + timedelta(days=number)).date() for number in range((end - begin).days))
    return [(one, counts.get(one, 0)) for one in days]


def timeline_address(wanted: Wanted, page: int = 1, **more: str) -> str:
    """The permalink of what is asked for."""
    asked = {"q" if name == "text" else name: value for name, value in asdict(wanted).items()}
    return permalink("/timeline", page, **{**asked, **more})


def item_address(change: Change) -> str:
    """Where one looks up what changed: who has the item in which version, or the section of the host."""
    if change.section and change.item:
        return package_address(change.section, change.item)
    return permalink(f"/hosts/{change.host_id}", section=change.section)


def line_address(line: Line, wanted: Wanted = ANY) -> str:
    """All hosts that had a change on its day."""
    change = line.change
    narrowed = Wanted(wanted.environment, wanted.host, section=change.section, item=change.item)
    return timeline_address(narrowed, day=change.before.date().isoformat())
