"""Who listens for what happens: a process asks the database once for all its open pages, while there are any."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool

from envparity_server import logs
from envparity_server.storage import happenings
from envparity_server.storage.actors import Environments
from envparity_server.storage.database import reading
from envparity_server.storage.happenings import Happening

POLL = 2.0  # seconds between two questions to the database
WINDOW = timedelta(minutes=1)  # that each looks back: no transaction takes as long
OVERLAP = timedelta(seconds=2)  # before a page was made: what was being committed just then
HEARTBEAT = 15.0  # seconds; proxies end what is silent for longer
MOST = 500  # pages of one process
_MOST_WAITING = 1000  # happenings that a slow page has not taken yet; it shows no more by the next

_log = logs.logger(__name__)


@dataclass(frozen=True, eq=False)
class Listener:
    """An open page: what it is told, from when on, and what it has not taken yet; None is the end."""

    seen: Environments
    since: datetime
    waiting: asyncio.Queue[Happening | None] = field(default_factory=lambda: asyncio.Queue(_MOST_WAITING))

    def tell(self, one: Happening) -> None:
        """Have it told, if it is new to the page and the person may know."""
        if one.at >= self.since - OVERLAP and one.is_seen(self.seen) and not self.waiting.full():
            self.waiting.put_nowait(one)

    def end(self) -> None:
        """Have it end, whatever it waits for."""
        while self.waiting.full():
            self.waiting.get_nowait()
        self.waiting.put_nowait(None)


class Listeners:
    """The open pages of one process; to be used in its event loop only."""

    def __init__(self, engine: Engine, most: int = MOST, poll: float = POLL, heartbeat: float = HEARTBEAT) -> None:
        self.heartbeat = heartbeat
        self._engine, self._most, self._poll = engine, most, poll
        self._listeners: set[Listener] = set()
        self._known: dict[Happening, None] = {}  # those of the last question, in their order
        self._asking: asyncio.Task[None] | None = None
        self._ended = False

    def are_full(self) -> bool:
        """Whether this process takes no other page: there are too many, or it is about to stop."""
        return self._ended or len(self._listeners) >= self._most

    @asynccontextmanager
    async def listening(self, seen: Environments, since: datetime) -> AsyncIterator[Listener]:
        """A listener until the block ends."""
        one = Listener(seen, since)
        if self._ended:
            one.end()
        for known in self._known:
            one.tell(known)
        self._listeners.add(one)
        if self._asking is None:
            self._asking = asyncio.create_task(self._ask())
        try:
            yield one
        finally:
            self._listeners.discard(one)

    def end(self) -> None:
        """End all of them, and take no other: the server stops."""
        self._ended = True
        for one in self._listeners:
            one.end()

    async def _ask(self) -> None:
        try:
            while self._listeners and not self._ended:
                try:
                    found = dict.fromkeys(await run_in_threadpool(self._happened))
                except SQLAlchemyError as problem:  # the database is away: nothing can happen there meanwhile
                    _log.warning("events_without_database", problem=type(problem).__name__)
                else:
                    news, self._known = [one for one in found if one not in self._known], found
                    for one in news:
                        for listener in self._listeners:
                            listener.tell(one)
                await asyncio.sleep(self._poll)
        finally:
            self._known, self._asking = {}, None

    def _happened(self) -> list[Happening]:
        with reading(self._engine) as connection:
            return happenings.since(connection, datetime.now(UTC) - WINDOW)
