"""Caps the body of every request, and refuses one of two lengths, whatever its route does with it.

The framework's own cap answers in plain text, and keeps the connection on which the rest of the body comes.
"""

from http import HTTPStatus

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from envparity_server.api.bodies import MAX_SENT
from envparity_server.api.problems import problem_response

_TOO_LARGE = f"the body is over {MAX_SENT} bytes"


class Guard:
    """Refuses by the head what declares too much, and stops reading what turns out to be too much."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or hand on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        length = headers.get("content-length", "0")
        if "transfer-encoding" in headers and "content-length" in headers:  # each side of a proxy could take another
            refusal = problem_response(HTTPStatus.BAD_REQUEST, "the request has two lengths", "send one of them")
            await refusal(scope, receive, send)
        elif not length.isdecimal() or len(length) > 19 or int(length) > MAX_SENT:
            refusal = problem_response(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _TOO_LARGE, "send it in several requests")
            await refusal(scope, receive, send)
        else:
            counted = _Counted(receive, send)
            await self._app(scope, counted.receive, counted.send)


class _Counted:
    """One request: its body is counted, and a connection on which too much of one comes is closed with the answer."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive, self._send, self._sent = receive, send, 0

    async def receive(self) -> Message:
        """Hand on what came, or refuse."""
        message = await self._receive()
        self._sent += len(message.get("body", b""))
        if self._sent > MAX_SENT:
            raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _TOO_LARGE)
        return message

    async def send(self, message: Message) -> None:
        """Hand on what is answered."""
        if message["type"] == "http.response.start" and self._sent > MAX_SENT:
            MutableHeaders(raw=message["headers"])["Connection"] = "close"
        await self._send(message)
