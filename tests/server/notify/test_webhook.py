"""Tests of the webhook against real receivers: what is sent, how it is signed, and where it is not sent."""

import hashlib
import json
import socket
import socketserver
import ssl
import subprocess
import threading
from datetime import timedelta
from pathlib import Path

import jsonschema  # type: ignore[import-untyped]  # it ships no types
import pytest
from hypothesis import given
from hypothesis import strategies as st

from envparity_agent.errors import CannotTell
from envparity_server.notify import schema
from envparity_server.notify.egress import Refused
from envparity_server.notify.interface import SendError
from envparity_server.notify.webhook import MAX_ANSWER, Webhook, check_webhook, judge
from tests.server.making import NOON
from tests.server.notify.drifting import TOLD
from tests.server.notify.receivers import LOOPBACK, HttpReceiver, http_receiver, raw_receiver

SECRET = "eps_a-secret"  # noqa: S105  # of the tests


def independent_hmac(key: bytes, message: bytes) -> str:
    """HMAC-SHA256 by its definition (RFC 2104), without Python's own."""
    block = key.ljust(64, b"\0")
    inner = hashlib.sha256(bytes(one ^ 0x36 for one in block) + message).digest()
    return hashlib.sha256(bytes(one ^ 0x5C for one in block) + inner).hexdigest()


def failed(webhook: Webhook) -> SendError:
    with pytest.raises(SendError) as problem:
        webhook.send("d1", TOLD, NOON)
    return problem.value


def to(receiver: HttpReceiver) -> Webhook:
    return Webhook(f"{receiver.url}/hook?x=1", SECRET, LOOPBACK)


def test_a_receiver_can_verify_what_it_gets() -> None:
    with http_receiver() as receiver:
        to(receiver).send("d1", TOLD, NOON)
    (got,) = receiver.got
    assert (got.method, got.path) == ("POST", "/hook?x=1")
    assert got.headers["Host"] == f"127.0.0.1:{receiver.port}"
    assert got.headers["Envparity-Delivery"] == "d1"
    moment, _, signed = got.headers["Envparity-Signature"].partition(",")
    assert moment == f"t={int(NOON.timestamp())}"
    message = moment.removeprefix("t=").encode() + b"." + got.body
    assert signed == f"v1={independent_hmac(SECRET.encode(), message)}"


def test_the_body_is_as_the_schema_says() -> None:
    with http_receiver() as receiver:
        to(receiver).send("d1", TOLD, NOON)
    body = json.loads(receiver.got[0].body)
    jsonschema.validate(body, schema.notification())
    assert body.keys() == schema.notification()["properties"].keys()
    assert (body["delivery"], body["event"], body["title"], body["link"]) == ("d1", "new", TOLD.title, None)


@pytest.mark.parametrize("status", [400, 401, 404, 410, 422, 301, 307])
def test_what_the_receiver_refuses_is_not_sent_again(status: int) -> None:
    with http_receiver(status=status, headers={"Location": "/elsewhere"}) as receiver:
        problem = failed(to(receiver))
    assert problem.permanent
    assert str(status) in str(problem)
    assert len(receiver.got) == 1  # no redirect is followed


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503])
def test_what_may_pass_is_sent_again(status: int) -> None:
    with http_receiver(status=status) as receiver:
        assert not failed(to(receiver)).permanent


def test_the_receiver_may_ask_to_wait() -> None:
    with http_receiver(status=429, headers={"Retry-After": "77"}) as receiver:
        assert failed(to(receiver)).retry_after == 77
    with http_receiver(status=503, headers={"Retry-After": "Sun, 01 Nov 2026 12:02:00 GMT"}) as receiver:
        assert failed(to(receiver)).retry_after == 120


@given(st.one_of(st.text(), st.integers().map(str), st.just("9" * 5000)))
def test_whatever_a_receiver_asks_is_a_number_or_nothing(text: str) -> None:
    with pytest.raises(SendError) as problem:
        judge(503, {"retry-after": text}, NOON)
    assert problem.value.retry_after is None or abs(problem.value.retry_after) < 1e12


def test_of_a_huge_answer_no_more_is_read_than_is_needed() -> None:
    left = threading.Event()

    def endless(handler: socketserver.StreamRequestHandler) -> None:
        handler.rfile.readline()
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000000\r\n\r\n")
        try:
            while True:
                handler.wfile.write(b"x" * MAX_ANSWER)
        except OSError:
            left.set()

    with raw_receiver(endless) as url:
        Webhook(url, SECRET, LOOPBACK).send("d1", TOLD, NOON)
        assert left.wait(30)


def test_a_receiver_that_trickles_is_cut_off() -> None:
    gone = threading.Event()

    def trickle(handler: socketserver.StreamRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
        while not gone.wait(0.02):
            handler.wfile.write(b"x")

    with raw_receiver(trickle) as url:
        problem = failed(Webhook(url, SECRET, LOOPBACK, timeout=0.3))
        gone.set()
    assert not problem.permanent
    assert "no answer within 0.3 seconds" in str(problem)


@pytest.mark.parametrize("answer", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 999999 X\r\n\r\n"])
def test_what_is_no_http_is_told_in_words(answer: bytes) -> None:
    def say(handler: socketserver.StreamRequestHandler) -> None:
        handler.rfile.readline()
        handler.wfile.write(answer)

    with raw_receiver(say) as url:
        problem = failed(Webhook(url, SECRET, LOOPBACK))
    assert not problem.permanent
    assert str(problem).startswith("not delivered: ")


def test_a_receiver_that_is_not_there_is_tried_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert not failed(Webhook(f"http://127.0.0.1:{port}/", SECRET, LOOPBACK)).permanent


def test_the_next_address_is_tried_where_the_first_does_not_answer() -> None:
    with http_receiver() as receiver:
        webhook = Webhook(f"http://two.test:{receiver.port}/", SECRET, LOOPBACK, lambda *_: ["127.0.0.2", "127.0.0.1"])
        webhook.send("d1", TOLD, NOON)
    assert receiver.got[0].headers["Host"] == f"two.test:{receiver.port}"


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1/", "https://[::1]/", "http://169.254.169.254/latest/meta-data", "http://100.64.0.1/",
        "http://[64:ff9b::7f00:1]/", "http://[2002:7f00:1::]/", "http://[::ffff:127.0.0.1]/", "http://2130706433/",
        "http://0x7f.1/", "http://0177.0.0.1/", "http://localhost/",
        "file:///etc/passwd", "gopher://example.com/", "ftp://example.com/", "unix:///run/docker.sock",
        "//example.com/", "http://", "http:///x", "", "x",
        "https://user:password@example.com/", "https://user@example.com/", "https://example.com:0/",
        "https://example.com:99999/", "https://exa mple.com/", "https://example.com\\@127.0.0.1/",
        "https://example.com/\r\nHost: x", "https://\u202eexample.com/", "https://" + "a" * 3000,
    ],
)  # fmt: skip
def test_a_refused_address_is_refused_when_it_is_stored_and_when_it_is_sent_to(address: str) -> None:
    with pytest.raises(Refused):
        check_webhook(address, ())
    assert failed(Webhook(address, SECRET, ())).permanent


def test_a_name_that_has_no_address_now_is_not_stored_and_is_tried_again() -> None:
    with pytest.raises(CannotTell, match=r"nowhere\.invalid"):
        check_webhook("https://nowhere.invalid/", ())
    assert not failed(Webhook("https://nowhere.invalid/", SECRET, ())).permanent


def test_a_name_that_changes_its_address_after_it_was_vetted_gets_nothing() -> None:
    answers = iter([["127.0.0.1"], ["127.0.0.3"]])
    with http_receiver() as receiver:
        Webhook(f"http://rebound.test:{receiver.port}/", SECRET, LOOPBACK, lambda *_: next(answers)).send(
            "d1", TOLD, NOON
        )
    assert len(receiver.got) == 1
    assert next(answers) == ["127.0.0.3"]  # it was asked for once


def test_a_name_that_was_public_when_it_was_stored_is_refused_once_it_is_not() -> None:
    check_webhook("https://moves.test/", (), lambda *_: ["8.8.8.8"])
    problem = failed(Webhook("https://moves.test/", SECRET, (), lambda *_: ["10.0.0.1"]))
    assert problem.permanent
    assert "10.0.0.1 (moves.test)" in str(problem)


def openssl(*arguments: str | Path) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate that is its own authority, for receiver.test, with its key."""
    path = tmp_path_factory.mktemp("tls") / "receiver.pem"
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
            "-subj", "/CN=receiver.test", "-addext", "subjectAltName=DNS:receiver.test",
            "-keyout", path.with_suffix(".key"), "-out", path)  # fmt: skip
    return path


def test_the_certificate_is_verified_against_the_name(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, certificate.with_suffix(".key"))
    asked: list[str | None] = []
    context.sni_callback = lambda _socket, name, _context: asked.append(name)
    with http_receiver(context) as receiver:
        here = (f":{receiver.port}/", SECRET, LOOPBACK, lambda *_: ["127.0.0.1"])
        Webhook(f"https://receiver.test{here[0]}", *here[1:]).send("d1", TOLD, NOON)
        problem = failed(Webhook(f"https://another.test{here[0]}", *here[1:]))
    assert asked == ["receiver.test", "another.test"]
    assert "another.test" in str(problem)
    assert len(receiver.got) == 1


def test_a_certificate_of_nobody_known_is_refused(certificate: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, certificate.with_suffix(".key"))
    with http_receiver(context) as receiver:
        url = f"https://receiver.test:{receiver.port}/"
        problem = failed(Webhook(url, SECRET, LOOPBACK, lambda *_: ["127.0.0.1"]))
    assert "certificate" in str(problem).lower()
    assert receiver.got == []


def test_a_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with http_receiver() as receiver:
        to(receiver).send("d1", TOLD, NOON + timedelta(0))
    assert len(receiver.got) == 1
