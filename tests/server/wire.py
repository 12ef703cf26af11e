"""Serves an application on the loopback interface, and speaks to it in bytes, as no HTTP library would."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import uvicorn
from fastapi import FastAPI

from envparity_server.serving import Server, configuration
from envparity_server.settings import ServerSettings
from tests.server.waiting import LONGEST


@dataclass(frozen=True)
class Wire:
    """A server that listens."""

    port: int
    server: uvicorn.Server

    def connect(self) -> socket.socket:
        """A connection."""
        return socket.create_connection(("127.0.0.1", self.port), LONGEST)

    def says(self, *parts: bytes) -> bytes:
        """All that the server says to some bytes until it closes the connection."""
        with self.connect() as connection:
            for part in parts:
                connection.sendall(part)
            return until_closed(connection)


def until_closed(connection: socket.socket) -> bytes:
    """What comes until the other side closes; it may do so while we still send, which resets the connection."""
    heard = b""
    try:
        while part := connection.recv(65536):
            heard += part
    except ConnectionResetError:
        pass
    return heard


@contextmanager
def served(app: FastAPI, **settings: Any) -> Iterator[Wire]:
    """Serve an application until the block ends."""
    listening = socket.create_server(("127.0.0.1", 0))
    server = Server(app, configuration(app, ServerSettings.model_construct(**settings)))
    thread = threading.Thread(target=server.run, args=([listening],))
    thread.start()
    try:
        yield Wire(listening.getsockname()[1], server)
    finally:
        server.should_exit = True
        thread.join(LONGEST)
        assert not thread.is_alive()
