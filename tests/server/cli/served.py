"""Serves the application on the loopback interface, for the verbs that ask a server."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from envparity_server.app import create_app
from envparity_server.serving import Server
from tests.server.asking import Asking


@contextmanager
def served(asking: Asking) -> Iterator[str]:
    """The address of a server on the same database, until the block ends."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        app = create_app(asking.engine)
        server = Server(app, uvicorn.Config(app, log_config=None))
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()  # the socket listens already: who asks too early waits
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()
