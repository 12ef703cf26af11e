"""A registry on loopback that does as a test tells it: with tokens, or hostile."""

import json
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.server.tags.images import Document

TOKEN = "a-token-for-anybody"  # noqa: S105  # of the tests


@dataclass(frozen=True)
class Reply:
    """An answer in full."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass
class Registry:
    """What a registry holds (path below /v2/ -> document), and what it was asked."""

    documents: dict[str, Document] = field(default_factory=dict)
    needs_token: bool = False
    challenge: str = ""  # in the place of its own
    instead: Callable[["Registry", str, str], Reply | None] | None = None  # method, path -> what it answers
    got: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        """Where its API is."""
        return f"http://127.0.0.1:{self.port}"

    def push(self, name: str, tag: str, *documents: Document) -> None:
        """Hold documents by their digests; the tag points at the last of them."""
        for one in documents:
            self.documents[f"{name}/manifests/{one.digest}"] = one
        self.documents[f"{name}/manifests/{tag}"] = documents[-1]

    def asked(self) -> list[str]:
        """What it was asked, in short: HEAD shop/web/manifests/1."""
        return [f"{method} {path.partition('?')[0].removeprefix('/v2/')}" for method, path, _ in self.got]

    def answer(self, method: str, path: str, headers: Mapping[str, str]) -> Reply:
        """What a registry would say."""
        told = self.instead(self, method, path) if self.instead else None
        if told:
            return told
        if path.startswith("/token"):
            return Reply(body=json.dumps({"token": TOKEN}).encode())
        if self.needs_token and headers.get("Authorization") != f"Bearer {TOKEN}":
            own = f'Bearer realm="{self.url}/token",service="registry.test",scope="repository:x:pull,push"'
            return Reply(401, {"WWW-Authenticate": self.challenge or own})
        found = self.documents.get(path.removeprefix("/v2/"))
        if found is None:
            return Reply(404)
        return Reply(200, {"Content-Type": found.media_type, "Docker-Content-Digest": found.digest}, found.body)


@contextmanager
def registry(context: ssl.SSLContext | None = None, **how: Any) -> Iterator[Registry]:
    """A registry that listens until the block ends, with TLS if there is a context for it."""
    held = Registry(**how)

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            held.got.append((self.command, self.path, dict(self.headers)))
            reply = held.answer(self.command, self.path, dict(self.headers))
            self.send_response(reply.status)
            for name, value in {"Content-Length": str(len(reply.body)), **reply.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(reply.body)

        do_GET = do_HEAD = _answer  # noqa: N815  # http.server's names

        def log_message(self, format: str, *arguments: Any) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: Any) -> None:
            """Who asks may go before the answer, or not believe the certificate."""

    server = Server(("127.0.0.1", 0), Handler)
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    held.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield held
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
