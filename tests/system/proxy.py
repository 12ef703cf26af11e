"""A TCP proxy on the loopback interface that counts what goes through it, in both directions."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

CHUNK = 65536


class Counter:
    """How many bytes went through, since it was last asked."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._bytes = 0
        self._lock = threading.Lock()

    def add(self, count: int) -> None:
        """Count what was passed on."""
        with self._lock:
            self._bytes += count

    def taken(self) -> int:
        """The bytes since the last call."""
        with self._lock:
            count, self._bytes = self._bytes, 0
        return count


@contextmanager
def counting_proxy(address: str) -> Iterator[Counter]:
    """Stand before `http://127.0.0.1:PORT` and count."""
    port = int(address.rpartition(":")[2])
    with socket.create_server(("127.0.0.1", 0)) as listening:
        counter = Counter(f"http://127.0.0.1:{listening.getsockname()[1]}")
        threading.Thread(target=_accept, args=(listening, port, counter), daemon=True).start()
        yield counter
        with suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)


def _accept(listening: socket.socket, port: int, counter: Counter) -> None:
    while True:
        try:
            client, _ = listening.accept()
        except OSError:
            return  # the proxy was closed
        server = socket.create_connection(("127.0.0.1", port))
        for one, other in ((client, server), (server, client)):
            threading.Thread(target=_pass_on, args=(one, other, counter), daemon=True).start()


def _pass_on(source: socket.socket, target: socket.socket, counter: Counter) -> None:
    with suppress(OSError):
        while data := source.recv(CHUNK):
            counter.add(len(data))
            target.sendall(data)
    for one in (source, target):
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
        one.close()
