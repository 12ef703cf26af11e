"""Tests of the server's connections, in bytes: what is slow is closed, what is no HTTP is refused, none is a 500."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from fastapi import FastAPI
from sqlalchemy import Engine

from envparity_server.api.bodies import MAX_SENT
from envparity_server.app import create_app
from tests.server.waiting import LONGEST, until
from tests.server.wire import Wire, served, until_closed

QUICK = {"header_seconds": 0.3, "body_seconds": 0.3, "idle_seconds": 0.3}
GATE = b"POST /api/v1/gates HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer x\r\n"
LOGIN = b"POST /login HTTP/1.1\r\nHost: a\r\n"
PAGE = b"GET /login HTTP/1.1\r\nHost: a\r\n"


@pytest.fixture
def app(sqlite: Engine) -> FastAPI:
    """The application without jobs."""
    return create_app(sqlite, jobs=())


@pytest.fixture
def quick(app: FastAPI) -> Iterator[Wire]:
    """A server whose clients have little time."""
    with served(app, **QUICK) as wire:
        yield wire


@pytest.fixture
def patient(app: FastAPI) -> Iterator[Wire]:
    """A server whose clients have more time than a test."""
    with served(app, header_seconds=600, body_seconds=600, idle_seconds=600) as wire:
        yield wire


def status(heard: bytes) -> int:
    """The status of the first answer."""
    return int(heard.split(b" ", 2)[1])


def test_a_connection_that_says_nothing_is_closed(quick: Wire) -> None:
    assert quick.says() == b""


@pytest.mark.parametrize("parts", [[b"GET /login HTT"], [PAGE], [PAGE, b"X-Slow: "]])
def test_a_head_that_does_not_end_is_closed(quick: Wire, parts: list[bytes]) -> None:
    heard = quick.says(*parts)
    assert status(heard) == 408
    assert json.loads(heard.partition(b"\r\n\r\n")[2])["status"] == 408


def test_a_byte_now_and_then_buys_no_time(quick: Wire) -> None:
    """Somebody who sends for as long as the server listens: it does not."""
    with quick.connect() as connection:
        connection.sendall(PAGE)
        stop = threading.Event()

        def trickle() -> None:
            try:
                while not stop.wait(0.05):
                    connection.sendall(b"X: y\r\n")
            except OSError:
                pass

        trickling = threading.Thread(target=trickle)
        trickling.start()
        heard = until_closed(connection)
        stop.set()
        trickling.join()
    assert heard == b"" or status(heard) == 408


@pytest.mark.parametrize(
    "framing", [b"Content-Length: 100\r\n\r\nhalf", b"Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"]
)
def test_a_body_that_does_not_end_is_closed(quick: Wire, framing: bytes) -> None:
    assert status(quick.says(LOGIN + framing)) == 408


def test_the_rest_of_a_body_that_was_answered_already_has_its_time_only(quick: Wire) -> None:
    assert status(quick.says(GATE + b"Content-Length: 100\r\n\r\nhalf")) == 401


def test_the_second_head_of_a_connection_has_its_time_too(quick: Wire) -> None:
    with quick.connect() as connection:
        connection.sendall(PAGE + b"\r\n")
        heard = b""
        while b"</html>" not in heard:
            heard += connection.recv(65536)
        connection.sendall(b"GET /lo")
        assert status(until_closed(connection)) == 408


def test_an_idle_connection_is_closed(quick: Wire) -> None:
    heard = quick.says(PAGE + b"\r\n")
    assert (status(heard), heard.count(b"HTTP/1.1 ")) == (200, 1)


def test_many_slow_connections_keep_nobody_out(patient: Wire) -> None:
    with ExitStack() as stack:
        for part in (b"", PAGE, LOGIN + b"Content-Length: 9\r\n\r\n") * 60:
            stack.enter_context(patient.connect()).sendall(part)
        assert status(patient.says(PAGE + b"Connection: close\r\n\r\n")) == 200


def test_whoever_does_not_take_an_answer_is_cut_off(sqlite: Engine) -> None:
    begun = threading.Event()
    app = create_app(sqlite, jobs=())

    def large() -> str:
        begun.set()
        return "x" * 50_000_000

    app.add_api_route("/large", large)
    with served(app, **QUICK) as wire, wire.connect() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.sendall(b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n")
        assert begun.wait(LONGEST)
        until(lambda: not wire.server.server_state.connections)


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Length: -1\r\n",
        b"Content-Length: x\r\n",
        b"Content-Length: 1\r\nContent-Length: 2\r\n",
        b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: gzip\r\n",
        b"Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFFFFFFFFFF\r\n",
        b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n-1\r\n",
        b"Bad Header\r\n",
        b"Connection: close\r\nX-Long: " + b"x" * 100_000 + b"\r\n",
        b"\x00: y\r\n",
    ],
)
def test_what_has_no_right_length_or_head_is_refused(patient: Wire, head: bytes) -> None:
    heard = patient.says(LOGIN + head + b"\r\n")
    assert 400 <= status(heard) < 500
    assert b"connection: close" in heard.lower()


@pytest.mark.parametrize("first", [b"\x16\x03\x01\x02\x00\x01\x00", b"GET\r\n\r\n", b"\r\n\r\n\r\n\r\n\x00"])
def test_what_is_no_http_is_refused_with_a_problem(patient: Wire, first: bytes) -> None:
    heard = patient.says(first)
    assert status(heard) == 400
    assert b"application/problem+json" in heard


@pytest.mark.parametrize("path", [b"/login", b"/api/v1/objects", b"/api/v1/gates", b"/nowhere", b"/hosts"])
@pytest.mark.parametrize("length", [MAX_SENT + 1, 400 * 1024 * 1024, 10**18, 10**30])
def test_a_body_that_says_that_it_is_too_large_is_not_read_on_any_route(
    patient: Wire, path: bytes, length: int
) -> None:
    heard = patient.says(b"PUT " + path + b" HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % length)
    assert status(heard) in (413, 400)
    assert b"application/problem+json" in heard


@pytest.mark.parametrize("chunk", [b"100000\r\n" + b"x" * 0x100000 + b"\r\n", b"FFFFFFFF\r\n" + b"x" * 0x100000])
def test_a_body_without_an_end_is_cut_at_the_cap(patient: Wire, chunk: bytes) -> None:
    with patient.connect() as connection:
        connection.sendall(LOGIN + b"Transfer-Encoding: chunked\r\n\r\n")
        try:
            for _ in range(200):
                connection.sendall(chunk)
            pytest.fail("it read 200 MiB")
        except OSError:
            pass
        heard = until_closed(connection)
    assert heard == b"" or status(heard) == 413  # a reset may have overtaken the answer


def test_a_body_that_is_too_large_without_saying_so_is_told(patient: Wire) -> None:
    chunks = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    heard = patient.says(LOGIN + b"Transfer-Encoding: chunked\r\n\r\n" + chunks * 33)
    assert heard == b"" or status(heard) == 413


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (b"GET /login HTTP/1.0\r\n\r\n", 200),
        (b"GET http://elsewhere/login HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 404),
        (b"GET /login HTTP/1.1\r\nConnection: close\r\n\r\n", 400),
        (b"GET /hosts HTTP/1.1\r\nHost: a/?x=\r\nConnection: close\r\n\r\n", 303),
        (b"GET /api/v1/hosts HTTP/1.1\r\nHost: a/login?\r\nConnection: close\r\n\r\n", 401),
        (b"GET //login HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 404),
        (b"GET /static/../../app.py HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 404),
        (b"GET /static/%2e%2e/%2e%2e/app.py HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 404),
        (b"GET /api/v1/nowhere/%00 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 404),
        (b"OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 404),
        (b"CONNECT elsewhere:443 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 404),
        (b"GET /login HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: upgrade, close\r\n\r\n", 200),
        (b"GET /login HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nConnection: upgrade, close\r\n\r\n", 200),
        (b"GET /login?next=%FF%FE HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 200),
        (b"\r\nGET /login HTTP/1.1\r\nHost: \xff\xfe\r\nConnection: close\r\n\r\n", 400),
    ],
)
def test_what_is_odd_is_answered_as_any_other(patient: Wire, request_: bytes, expected: int) -> None:
    assert status(patient.says(request_)) == expected


def test_requests_in_a_row_are_answered_in_a_row(patient: Wire) -> None:
    heard = patient.says((PAGE + b"\r\n") * 3 + PAGE + b"Connection: close\r\n\r\n")
    assert heard.count(b"HTTP/1.1 200") == 4


def test_whoever_asks_whether_to_go_on_is_refused_first(patient: Wire) -> None:
    """The token is read before the body: nobody is told to send what nobody may."""
    with patient.connect() as connection:
        connection.sendall(GATE + b"Content-Length: 10\r\nExpect: 100-continue\r\n\r\n")
        heard = connection.recv(65536)
    assert status(heard) == 401


def test_a_server_that_is_stopped_answers_what_it_took(sqlite: Engine) -> None:
    begun, finish = threading.Event(), threading.Event()
    app = create_app(sqlite, jobs=())

    def slow() -> str:
        begun.set()
        assert finish.wait(30)
        return "done"

    app.add_api_route("/slow", slow)
    with served(app, drain_seconds=30) as wire, wire.connect() as connection, wire.connect() as idle:
        connection.sendall(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
        assert begun.wait(30)
        wire.server.should_exit = True
        assert until_closed(idle) == b""  # it has begun to stop
        finish.set()
        assert until_closed(connection).endswith(b'"done"')
