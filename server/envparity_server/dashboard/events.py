"""Events for open pages, sent by the server as they happen: hosts, reports, changes, drifts, gates.

https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.sse import EventSourceResponse, format_sse_event
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from envparity_server.api.authentication import now, person_of
from envparity_server.api.problems import unavailable
from envparity_server.dashboard.listeners import WINDOW, Listeners
from envparity_server.dashboard.pages import require_person, seen_by

router = APIRouter(include_in_schema=False, dependencies=[Depends(require_person)])


@router.get("/events")
async def send_events(
    request: Request,
    since: Annotated[datetime | None, Query()] = None,
    last_event_id: Annotated[datetime | None, Header()] = None,
) -> Response:
    """What happens from now on, or since the page was made, in the environments that the person sees.

    Each event has the moment as its id, so that a browser which asks again goes on from there; `missed` says that it
    was away for too long. It ends with the session, and with the server.
    """
    listeners: Listeners = request.app.state.listeners
    if listeners.are_full():
        return unavailable("too many pages are open on this server")
    told = _events(request, listeners, _in_utc(last_event_id or since or now()))
    return EventSourceResponse(told, headers={"X-Accel-Buffering": "no"})


def _in_utc(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


async def _events(request: Request, listeners: Listeners, since: datetime) -> AsyncIterator[bytes]:
    async with listeners.listening(seen_by(request), since) as listener:
        yield _event("alive" if now() - since < WINDOW else "missed")
        asked = time.monotonic()
        while True:
            try:
                one = await asyncio.wait_for(listener.waiting.get(), listeners.heartbeat)
            except TimeoutError:
                yield _event("alive")
            else:
                if one is None:
                    return
                yield _event(one.kind, one.id)
            if time.monotonic() - asked >= listeners.heartbeat:
                asked = time.monotonic()
                if await run_in_threadpool(person_of, request) is None:
                    return


def _event(kind: str, of: str = "") -> bytes:
    return format_sse_event(event=kind, data_str=json.dumps({"id": of} if of else {}), id=now().isoformat())
