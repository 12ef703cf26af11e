"""A TCP proxy on the loopback interface that counts what goes through it, in both directions, to one server or more."""

import socket
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import cycle, islice

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
def counting_proxy(*addresses: str) -> Iterator[Counter]:
    """Stand before servers, each `http://127.0.0.1:PORT`, in turn, and count; one that is gone is passed over."""
    ports = cycle([int(address.rpartition(":")[2]) for address in addresses])
    with socket.create_server(("127.0.0.1", 0)) as listening:
        counter = Counter(f"http://127.0.0.1:{listening.getsockname()[1]}")
        threading.Thread(target=_accept, args=(listening, ports, len(addresses), counter), daemon=True).start()
        yield counter
        with suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)


def _accept(listening: socket.socket, ports: Iterator[int], servers: int, counter: Counter) -> None:
    while True:
        try:
            client, _ = listening.accept()
        except OSError:
            return  # the proxy was closed
        server = _reached(islice(ports, servers))
        if server is None:
            client.close()
            continue
        for one, other in ((client, server), (server, client)):
            threading.Thread(target=_pass_on, args=(one, other, counter), daemon=True).start()


def _reached(ports: Iterable[int]) -> socket.socket | None:
    for port in ports:
        with suppress(OSError):
            return socket.create_connection(("127.0.0.1", port))
    return None


def _pass_on(source: socket.socket, target: socket.socket, counter: Counter) -> None:
    with suppress(OSError):
        while data := source.recv(CHUNK):
            counter.add(len(data))
            target.sendall(data)
    for one in (source, target):
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
        one.close()
