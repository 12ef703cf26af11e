"""Checks that no answer of an engine, however it comes, is waited for or kept beyond what makes sense."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import docker.errors
import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from envparity_agent.collectors.containers import client as client_module
from envparity_agent.collectors.containers.client import Client
from envparity_agent.collectors.containers.engine import connect
from envparity_agent.errors import Unreadable
from envparity_agent.fingerprint import Reason
from tests.agent.collectors.answers import CONFIG_DIGEST, container, running_engine
from tests.agent.roots import fingerprint_of

VERSION = b'{"ApiVersion": "1.41"}'
Sending = Callable[[socket.socket, threading.Event], None]


def whole(body: bytes, status: str = "200 OK", length: int | None = None) -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body) if length is None else length}\r\n\r\n"
    return head.encode() + body


@contextmanager
def answering(place: Path, send: Sending) -> Iterator[str]:
    """An engine that tells its version, and then sends what it is told to; the event is set at the end."""
    path, ended = str(place / "s"), threading.Event()

    def serve(connection: socket.socket) -> None:
        with connection:
            try:
                while (question := connection.recv(65536)) and not ended.is_set():
                    if not question.startswith(b"GET /version "):
                        send(connection, ended)
                        break
                    connection.sendall(whole(VERSION))
            except OSError:
                pass  # the client has heard enough

    def accept(listening: socket.socket) -> None:
        threads = []
        while not ended.is_set():
            try:
                connection, _ = listening.accept()
            except TimeoutError:
                continue
            connection.settimeout(10)
            threads.append(threading.Thread(target=serve, args=(connection,)))
            threads[-1].start()
        for thread in threads:
            thread.join()

    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(path)
        listening.listen()
        listening.settimeout(0.05)
        thread = threading.Thread(target=accept, args=(listening,))
        thread.start()
        try:
            yield f"unix://{path}"
        finally:
            ended.set()
            thread.join()


def refusal(place: Path, send: Sending) -> str:
    with answering(place, send) as url, pytest.raises(Unreadable) as refused, connect(url) as client:
        client.info()
    return refused.value.reason


def sends(content: bytes) -> Sending:
    return lambda connection, _: connection.sendall(content)


def drips(beginning: bytes, drop: bytes) -> Sending:
    """Sends a drop every few milliseconds, for ever: each of them comes in time."""

    def send(connection: socket.socket, ended: threading.Event) -> None:
        connection.sendall(beginning)
        while not ended.wait(0.005):
            connection.sendall(drop)

    return send


def floods(beginning: bytes, wave: bytes) -> Sending:
    def send(connection: socket.socket, ended: threading.Event) -> None:
        connection.sendall(beginning)
        while not ended.is_set():
            connection.sendall(wave)

    return send


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
MIB = 1024 * 1024


@pytest.mark.parametrize(
    "send",
    [
        floods(f"HTTP/1.1 200 OK\r\nContent-Length: {100 * MIB}\r\n\r\n".encode(), b" " * MIB),
        floods(b"HTTP/1.1 200 OK\r\n\r\n", b" " * MIB),
        floods(CHUNKED, b"100000\r\n" + b" " * MIB + b"\r\n"),
        floods(CHUNKED + b"FFFFFFFFFF\r\n", b" " * MIB),
    ],
    ids=["100 MB", "endless", "endless chunks", "one endless chunk"],
)
def test_an_answer_that_is_too_long_is_not_kept(short_path: Path, send: Sending) -> None:
    assert refusal(short_path, send) == Reason.CAP


@pytest.mark.parametrize(
    "send",
    [
        lambda _, ended: ended.wait(),
        drips(b"", b"H"),
        drips(b"HTTP/1.1 200 OK\r\n", b"A"),
        drips(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        drips(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b" "),
        drips(b"HTTP/1.1 200 OK\r\n\r\n", b" "),
        drips(CHUNKED, b"1\r\n \r\n"),
        drips(CHUNKED + b"FFFFFF\r\n", b" "),
    ],
    ids=["silence", "status", "header", "continue", "length", "endless", "chunks", "one chunk"],
)
def test_an_answer_that_does_not_end_is_not_waited_for(
    short_path: Path, send: Sending, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "TIMEOUT_SECONDS", 0.3)
    assert refusal(short_path, send) == Reason.TIMEOUT


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (whole(b'{"ID": "a"}', length=200), Reason.UNREACHABLE),
        (whole(b'{"ID": "abcdef"}', length=8), Reason.INVALID),
        (whole(b'{"ID": "abcdef"}', length=-1), None),
        (whole(b"<html>"), Reason.INVALID),
        (whole(b"\xff\xfe\xfd"), Reason.INVALID),
        (whole(b"[" * 100_000), Reason.INVALID),
        (whole(b'{"n": ' + b"1" * 5000 + b"}"), Reason.INVALID),
        (whole(b"", "204 No Content"), Reason.INVALID),
        (whole(b'{"message": "no"}', "500 Server Error"), Reason.UNREACHABLE),
        (whole(b"{}", "500 Server Error"), Reason.INVALID),
        (whole(b"[" * 100_000, "500 Server Error"), Reason.INVALID),
        (b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/x\r\nContent-Length: 0\r\n\r\n", Reason.INVALID),
        (b"SSH-2.0-OpenSSH_9.2\r\n", Reason.UNREACHABLE),
        (b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 1000 + b"\r\n{}", Reason.UNREACHABLE),
        (b"HTTP/1.1 200 OK\r\nA: " + b"b" * 100_000 + b"\r\n\r\n{}", Reason.UNREACHABLE),
        (b"", Reason.UNREACHABLE),
    ],
    ids=lambda value: repr(value)[:60],
)
def test_an_answer_that_is_none_is_said(short_path: Path, content: bytes, reason: Reason | None) -> None:
    if reason:
        assert refusal(short_path, sends(content)) == reason
        return
    with answering(short_path, sends(content)) as url, connect(url) as client:
        assert client.info() == {"ID": "abcdef"}


@given(st.binary(max_size=300), st.booleans())
def test_whatever_an_engine_sends_has_a_reason_or_is_json(content: bytes, framed: bool) -> None:
    with running_engine() as engine:
        engine.answers["/info"] = content if framed else None
        try:
            with connect(engine.url) as client:
                client.info()
        except Unreadable as problem:
            assert problem.reason in tuple(Reason)  # noqa: PT017  # JSON is right as well


def test_an_idle_connection_that_the_engine_ended_is_made_anew(short_path: Path) -> None:
    with answering(short_path, sends(whole(b'{"ID": "a"}'))) as url, connect(url) as client:
        assert client.info() == client.info() == {"ID": "a"}  # it ends the connection after each


def test_all_waiting_together_has_an_end(short_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(short_path, sends(whole(b"{}"))) as url, connect(url) as client:
        monkeypatch.setattr(client_module, "BUDGET_SECONDS", 0)
        with pytest.raises(requests.exceptions.Timeout):
            client.info()


def test_nothing_but_get_leaves() -> None:
    with running_engine() as engine, connect(engine.url) as client:
        before = list(engine.requests)
        for ask in (
            lambda: client.stop("web"),
            lambda: client.exec_create("web", "ls"),
            lambda: client.remove_container("web"),
            lambda: client.put_archive("web", "/", b""),
            lambda: client.post(f"{client.base_url}/containers/web/stop"),
            lambda: client.head(f"{client.base_url}/_ping"),
            lambda: client.send(requests.Request("DELETE", f"{client.base_url}/containers/web").prepare()),
        ):
            with pytest.raises(PermissionError):
                ask()
        assert engine.requests == before


def test_a_version_that_is_none_becomes_no_path() -> None:
    with running_engine() as engine:
        engine.answers["/version"] = {"ApiVersion": "1.41/../../x"}
        with pytest.raises(Unreadable, match="invalid"), connect(engine.url):
            pass
        assert [path for _, path in engine.requests] == ["/version"]


def test_an_engine_behind_a_program_is_not_asked() -> None:
    with pytest.raises(docker.errors.DockerException, match="ssh"):
        Client("ssh://host")


def test_a_stream_ends_with_its_connection_whatever_becomes_of_it(
    short_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "STREAM_SECONDS", 0.3)
    with answering(short_path, drips(CHUNKED, b"1\r\n \r\n")) as url, connect(url) as client:
        chunks, _ = client.get_archive("web", "/")
        with pytest.raises(requests.exceptions.Timeout):
            list(chunks)


def test_a_stream_that_is_refused_says_why() -> None:
    with running_engine() as engine, connect(engine.url) as client, pytest.raises(docker.errors.NotFound):
        client.get_archive("web", "/")


def test_a_stream_may_be_longer_than_an_answer() -> None:
    with running_engine() as engine, connect(engine.url) as client:
        engine.answers["/containers/web/archive"] = b" " * (client_module.MAX_ANSWER + 1)
        chunks, _ = client.get_archive("web", "/")
        assert sum(map(len, chunks)) == client_module.MAX_ANSWER + 1


def test_few_questions_are_asked_of_many_containers(short_path: Path) -> None:
    """One list; of each container what it is and what was changed; of each image and tag one."""
    with running_engine() as engine:
        engine.has(*(container(one, f"web-{one}") for one in "abcdef0123456789"))
        fingerprint_of(short_path, engine.url)
        asked = [path for _, path in engine.requests]
    assert asked.count("/version") == asked.count("/info") == asked.count("/containers/json") == 1
    assert asked.count(f"/images/{CONFIG_DIGEST}/json") == 1
    assert asked.count("/images/registry.example:5000/shop/web:1.4/json") == 1
    assert max(map(asked.count, asked)) == 1


def test_a_tcp_engine_is_asked_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "TIMEOUT_SECONDS", 1)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port = listening.getsockname()[1]
        with pytest.raises(Unreadable, match="unreachable"), connect(f"tcp://127.0.0.1:{port}"):
            pass
        listening.listen()

        def serve() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(whole(VERSION))

        thread = threading.Thread(target=serve)
        thread.start()
        with connect(f"tcp://127.0.0.1:{port}") as client:
            assert client.told_version == {"ApiVersion": "1.41"}
        thread.join()
