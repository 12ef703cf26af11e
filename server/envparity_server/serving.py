"""Serves the application with uvicorn, which alone would keep a slow connection for ever: here each has its time.

https://www.uvicorn.org/settings/#timeouts
"""

import asyncio
import gc
import resource
import socket
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import h11
import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from envparity_server.dashboard.listeners import Listeners
from envparity_server.settings import ServerSettings


@dataclass(frozen=True)
class Limits:
    """How many seconds a client has, each counted from the first moment of its part."""

    header: float  # to send a request's head, also the first one of a connection
    body: float  # to send the body of a request, whatever became of the request meanwhile
    answer: float  # to take what it was answered, once the system's buffers are full
    idle: float  # between two requests
    drain: float  # for requests that run when the server is stopped


class Configuration(uvicorn.Config):
    """uvicorn's configuration of a server of envparity."""

    def __init__(self, app: FastAPI, limits: Limits, trusted_proxies: str, **more: Any) -> None:
        super().__init__(
            app,
            http=BoundedProtocol,
            ws="none",
            lifespan="on",
            log_config=None,  # `logs.py` has the log, and a line of each request
            access_log=False,
            server_header=False,
            timeout_keep_alive=limits.idle,  # type: ignore[arg-type]  # any number of seconds will do
            timeout_graceful_shutdown=limits.drain,  # type: ignore[arg-type]
            proxy_headers=bool(trusted_proxies),  # else anybody could write the address that logins are counted by
            forwarded_allow_ips=trusted_proxies,
            **more,
        )
        self.limits = limits


class Server(uvicorn.Server):
    """uvicorn's server, which would wait at its end for pages that listen for events, and they never leave."""

    def __init__(self, app: FastAPI, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._listeners: Listeners = app.state.listeners

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End what listens, then the rest."""
        self._listeners.end()
        await super().shutdown(sockets)


def configuration(app: FastAPI, settings: ServerSettings, **more: Any) -> Configuration:
    """How to serve an application by the settings."""
    limits = Limits(
        settings.header_seconds, settings.body_seconds, settings.body_seconds, settings.idle_seconds,
        settings.drain_seconds,
    )  # fmt: skip
    return Configuration(app, limits, settings.trusted_proxies, **more)


def serve(app: FastAPI, settings: ServerSettings) -> None:
    """Serve until SIGINT or SIGTERM; then requests that run are ended, and no new ones taken."""
    _open_many_files()
    collect_seldom()
    Server(app, configuration(app, settings, host=settings.listen_host, port=settings.listen_port)).run()


def _open_many_files() -> None:
    """Have as many connections as the system lets this user: a thousand slow ones must not be all."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def collect_seldom() -> None:
    """Look for cycles less often: a comparison of 1,000 hosts makes a million values, and hardly a cycle.

    https://docs.python.org/3/library/gc.html#gc.set_threshold
    """
    gc.collect()
    gc.freeze()  # what is there now stays
    gc.set_threshold(50_000, 20, 50)


class BoundedProtocol(H11Protocol):
    """uvicorn's connection, closed when the client lets its time pass.

    There is one timer: for the head until a request is whole, then for its body, else none; between two requests
    uvicorn has its own. A byte now and then does not start it anew.
    """

    def __init__(
        self,
        config: Configuration,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._limits = config.limits
        self._part: object = None
        self._timer: asyncio.TimerHandle | None = None
        self._answer_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        """Begin with the time for the first head."""
        super().connection_made(transport)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """End every timer."""
        for timer in (self._timer, self._answer_timer):
            if timer is not None:
                timer.cancel()
        self._unset_keepalive_if_required()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what came, and see what it is a part of."""
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        """Go on to the next request; a body that was not read whole still has its time only."""
        super().on_response_complete()
        self._watch()

    def pause_writing(self) -> None:
        """The client does not take its answer."""
        super().pause_writing()
        self._answer_timer = self.loop.call_later(self._limits.answer, self.transport.abort)

    def resume_writing(self) -> None:
        """It does again."""
        super().resume_writing()
        if self._answer_timer is not None:
            self._answer_timer.cancel()

    def _watch(self) -> None:
        part = self._present_part()
        if part is self._part:
            return
        self._part = part
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if part is not None:
            seconds = self._limits.header if part is _HEAD else self._limits.body
            self._timer = self.loop.call_later(seconds, self._too_slow)

    def _present_part(self) -> object:
        """What the client is sending: a head, the body of a request (which is that request), or nothing."""
        if self.transport.is_closing():
            return None
        if self.conn.their_state is h11.SEND_BODY:
            return self.cycle
        if self.conn.their_state is h11.IDLE and (self.cycle is None or self.conn.trailing_data[0]):
            return _HEAD
        return None

    def _too_slow(self) -> None:
        """Say so if nothing was answered yet, and close."""
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE) and (self.cycle or self.conn.trailing_data[0]):
            self._refuse(HTTPStatus.REQUEST_TIMEOUT, "the request took too long to arrive")
        else:
            self.transport.close()

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP, as every refusal, with a problem document."""
        self._refuse(HTTPStatus.BAD_REQUEST, msg)

    def _refuse(self, status: HTTPStatus, words: str) -> None:
        body = _PROBLEM % (status.phrase.encode(), status, words.encode())
        headers = [("Content-Type", "application/problem+json"), ("Content-Length", str(len(body)))]
        head = h11.Response(status_code=status, headers=[*headers, ("Connection", "close")], reason=status.phrase)
        for event in (head, h11.Data(body), h11.EndOfMessage()):
            self.transport.write(self.conn.send(event) or b"")
        if self.cycle is not None:
            self.cycle.disconnected = True  # whoever works on the request is told so, and says nothing more
        self.transport.close()


_HEAD = object()
_PROBLEM = b'{"title": "%s", "status": %d, "detail": "%s", "advice": ""}'
