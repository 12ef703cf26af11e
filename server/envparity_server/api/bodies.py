"""Request bodies: capped before and after decompression, decoded strictly."""

import zlib
from http import HTTPStatus
from typing import Any

from fastapi import Request

from envparity_agent.canonical import decode
from envparity_agent.errors import InvalidDocument
from envparity_server.api.problems import Problem

MAX_SENT = 2 * 1024 * 1024
MAX_BODY = 16 * 1024 * 1024
_GZIP = 16 + zlib.MAX_WBITS


async def read_body(request: Request) -> bytes:
    """The body, decompressed with a running cap; raises Problem 400, 413 or 415."""
    encoding = request.headers.get("content-encoding", "identity").lower()
    if encoding not in ("identity", "gzip"):
        raise Problem(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"content encoding {encoding[:40]} is not supported", "use gzip"
        )
    inflate = zlib.decompressobj(_GZIP) if encoding == "gzip" else None
    body = bytearray()
    sent = 0
    async for chunk in request.stream():
        sent += len(chunk)
        body += _inflated(inflate, chunk, MAX_BODY + 1 - len(body)) if inflate else chunk
        if sent > MAX_SENT or len(body) > MAX_BODY:
            raise Problem(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                f"the body is over {MAX_SENT} bytes, or {MAX_BODY} bytes decompressed",
                "send objects in several requests",
            )
    if inflate and (not inflate.eof or inflate.unused_data):
        raise Problem(HTTPStatus.BAD_REQUEST, "the body is not one whole gzip stream")
    return bytes(body)


def _inflated(inflate: "zlib._Decompress", chunk: bytes, room: int) -> bytes:
    try:
        return inflate.decompress(chunk, room)
    except zlib.error:
        raise Problem(HTTPStatus.BAD_REQUEST, "the body is not a gzip stream") from None


async def read_json(request: Request) -> dict[str, Any]:
    """The body as a JSON object; raises Problem, or InvalidDocument for what is not strict JSON."""
    value = decode(await read_body(request))
    if not isinstance(value, dict):
        raise InvalidDocument("the body is not a JSON object")
    return value


def field(body: dict[str, Any], name: str, kind: type, default: Any = None) -> Any:
    """A field of a body; raises InvalidDocument where it is missing or of another type."""
    value = body.get(name, default)
    if type(value) is not kind:
        raise InvalidDocument(f"{name} is missing or is not of type {kind.__name__}")
    if isinstance(value, str) and "\0" in value:  # PostgreSQL stores none
        raise InvalidDocument(f"{name} has a NUL character")
    return value
