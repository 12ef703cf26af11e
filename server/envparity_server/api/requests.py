"""What is done around every request: an id, a line in the log, a count; and an answer where nobody else gave one."""

import secrets
import time
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from fastapi import Request
from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from envparity_server import logs
from envparity_server.api.metrics import Metrics

ID_HEADER = "X-Request-ID"
UNKNOWN = "-"  # the route of a request that has none, the actor of one that nobody known made
GONE = 499  # nobody was there to be answered, as nginx has it

_log = logs.logger(__name__)


class Requests:
    """The outermost layer of the application: nothing that goes wrong below gets past it without its id in the log."""

    def __init__(
        self, app: ASGIApp, metrics: Metrics, failed: Callable[[Request, Exception], Awaitable[Response]]
    ) -> None:
        self._app, self._metrics, self._failed = app, metrics, failed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand on, and tell how it went: the route's template and the actor, never a query, a header or a body."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.monotonic(), GONE
        scope.setdefault("state", {})["request_id"] = request_id = secrets.token_hex(8)
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request=request_id)

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = int(message["status"])
                MutableHeaders(raw=message["headers"])[ID_HEADER] = request_id
            await send(message)

        try:
            await self._app(scope, receive, answer)
        except ClientDisconnect:
            pass
        except Exception as problem:  # noqa: BLE001  # whatever it is, it is told once, and answered
            _log.error("unhandled", exc_info=problem)
            if status == GONE:
                response = await self._failed(Request(scope, receive), problem)
                await response(scope, receive, answer)
        finally:
            self._tell(scope, status, time.monotonic() - began)

    def _tell(self, scope: Scope, status: int, seconds: float) -> None:
        route: str = getattr(scope.get("route"), "path", UNKNOWN)
        actor: Any = scope["state"].get("actor")
        self._metrics.answered(scope["method"], route, status, seconds)
        _log.info(
            "request",
            method=scope["method"],
            route=route,
            status=status,
            ms=round(seconds * 1000, 1),
            actor=actor.name if actor else UNKNOWN,
            client=scope["client"][0] if scope.get("client") else UNKNOWN,
        )
