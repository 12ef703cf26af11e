"""A server on the loopback interface that answers as it is told to, and keeps what it was asked."""

import gzip
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answering = Callable[[str, bytes], tuple[int, Any]]  # path and body to status and JSON


@dataclass
class Asked:
    """The address of the server, and each request's path and body so far."""

    url: str
    requests: list[tuple[str, bytes]] = field(default_factory=list)


@contextmanager
def answering(answer: Answering) -> Iterator[Asked]:
    """Serve until the end of the block."""
    asked = Asked("")

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            body = gzip.decompress(self.rfile.read(int(self.headers["Content-Length"])))
            asked.requests.append((self.path, body))
            status, document = answer(self.path, body)
            content = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_PUT  # noqa: N815  # the names are http.server's

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        asked.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield asked
        finally:
            server.shutdown()
            thread.join()
