"""Checks how the agent speaks to a server: by hash first, never past a redirect, and only an acknowledgement counts."""

import gzip
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from envparity_agent import client as client_module
from envparity_agent.canonical import digest
from envparity_agent.client import Client, NotKnown
from envparity_agent.documents import examined
from envparity_agent.errors import CannotTell, InvalidDocument, UsageError
from envparity_agent.fingerprint import PAGE_ITEMS, Fingerprint, Section
from envparity_agent.spool import Report
from envparity_agent.state import Enrolment
from tests.agent.test_fingerprint import EXAMPLE

SERVER = "https://server.example"
PACKAGES = Section("os-packages", "os-packages", 1, {str(number): {} for number in range(500)})
MANY = replace(EXAMPLE, sections={"os-packages": PACKAGES})


class Server:
    """A server that keeps objects by their hash and acknowledges a report once it has all that it refers to."""

    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []
        self.objects: dict[str, bytes] = {}

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        body = gzip.decompress(request.content)
        if request.url.path == "/api/v1/objects":
            kept = [line for line in body.split(b"\n") if line]
            self.objects |= {digest(line): line for line in kept}
            return httpx.Response(
                200, json={"missing": self._lacking(ref for one in kept for ref in examined(one).references)}
            )
        root = json.loads(body)["root"]
        missing = self._lacking([root])
        return httpx.Response(200, json={"missing": missing} if missing else {"accepted": True, "root": root})

    def _lacking(self, hashes: Any) -> list[str]:
        return sorted({hash for hash in hashes if hash not in self.objects})

    def sent(self) -> list[bytes]:
        """The objects of all uploads so far."""
        bodies = [gzip.decompress(one.content) for one in self.requests if one.url.path == "/api/v1/objects"]
        return [line for body in bodies for line in body.split(b"\n")]


def speaking_to(handler: Callable[[httpx.Request], httpx.Response]) -> Client:
    return Client(SERVER, "secret", transport=httpx.MockTransport(handler))


def report(handler: Callable[[httpx.Request], httpx.Response], fingerprint: Fingerprint = EXAMPLE) -> None:
    with speaking_to(handler) as client:
        client.report(Report("epoch", 7, fingerprint), "host-1", 900)


def test_the_first_word_of_a_report_is_its_root_hash() -> None:
    server = Server()
    report(server)
    first = server.requests[0]
    assert (first.method, first.url.path) == ("PUT", "/api/v1/reports/epoch/7")
    head = json.loads(gzip.decompress(first.content))
    assert (head["root"], head["host"], head["interval"]) == (EXAMPLE.root, "host-1", 900)
    assert head["identity"] == {"hostname": "web-1"}
    assert head["observed"] == {"survey": {"os": 3}}
    assert "sections" not in head


def test_a_server_gets_every_object_once() -> None:
    server = Server()
    report(server, MANY)
    assert server.objects == MANY.objects()
    assert sorted(server.sent()) == sorted(MANY.objects().values())


def test_a_server_that_has_all_gets_the_hash_alone() -> None:
    server = Server()
    report(server)
    server.requests.clear()
    report(server)
    assert [one.url.path for one in server.requests] == ["/api/v1/reports/epoch/7"]


def test_a_change_of_one_item_sends_one_page() -> None:
    server = Server()
    report(server, MANY)
    server.requests.clear()
    changed = replace(PACKAGES, items={**PACKAGES.items, "7": {"version": "another"}})
    report(server, replace(MANY, sections={"os-packages": changed}))
    pages = [one for one in server.sent() if one.startswith(b'{"items"')]
    assert len(PACKAGES.pages) == PAGE_ITEMS
    assert len(pages) == 1
    assert b"another" in pages[0]


def test_what_is_sent_is_compressed_and_carries_the_credential() -> None:
    server = Server()
    report(server)
    for request in server.requests:
        assert request.headers["Content-Encoding"] == "gzip"
        assert request.headers["Authorization"] == "Bearer secret"
        assert request.headers["User-Agent"].startswith("envparity/")


def test_objects_go_in_several_bodies_of_a_bounded_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "CHUNK", 2000)
    server = Server()
    report(server, MANY)
    bodies = [gzip.decompress(one.content) for one in server.requests if one.url.path == "/api/v1/objects"]
    largest = max(map(len, MANY.objects().values()))
    assert len(bodies) > 3
    assert all(len(body) <= max(2000, largest) for body in bodies)
    assert server.objects == MANY.objects()


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, html="<html>sign in to the network</html>"),
        httpx.Response(200, content=b""),
        httpx.Response(200, json=[]),
        httpx.Response(200, json={}),
        httpx.Response(200, json={"accepted": True}),
        httpx.Response(200, json={"accepted": True, "root": "0" * 64}),
        httpx.Response(200, json={"accepted": "true", "root": EXAMPLE.root}),
        httpx.Response(200, json={"accepted": False, "root": EXAMPLE.root}),
        httpx.Response(200, content=b'{"accepted":NaN}'),
        httpx.Response(200, content=b'{"accepted":true,"root":"x","root":"%s"}' % EXAMPLE.root.encode()),
        httpx.Response(204),
    ],
    ids=lambda answer: repr(answer.content[:40]),
)
def test_what_is_no_acknowledgement_of_this_report_does_not_count(answer: httpx.Response) -> None:
    with pytest.raises(CannotTell):
        report(lambda _: answer)


@pytest.mark.parametrize("missing", [["f" * 64], [EXAMPLE.root], [7], {"a": 1}, 7, [[]], [{}]], ids=str)
def test_a_server_that_never_has_enough_is_given_up(missing: Any) -> None:
    asked = []

    def never(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, json={"missing": missing})

    with pytest.raises(CannotTell):
        report(never)
    assert len(asked) < 30


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_told_and_not_followed(status: int) -> None:
    asked = []

    def elsewhere(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.host)
        return httpx.Response(status, headers={"Location": "https://elsewhere.example/"})

    with pytest.raises(CannotTell, match=r"redirects to https://elsewhere\.example/"):
        report(elsewhere)
    assert asked == ["server.example"]


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, UsageError),
        (404, UsageError),
        (422, UsageError),
        (401, NotKnown),
        (403, CannotTell),
        (409, CannotTell),
        (413, CannotTell),
        (500, CannotTell),
    ],
)
def test_a_refusal_is_told_in_the_servers_words(status: int, error: type[Exception]) -> None:
    answer = httpx.Response(status, json={"detail": "the reason", "advice": "the way out"})
    with pytest.raises(error, match=r"https://server\.example: the reason") as refused:
        report(lambda _: answer)
    assert type(refused.value) is error
    assert getattr(refused.value, "advice", "") == "the way out"


@pytest.mark.parametrize("content", [b"", b"<html>", b"[]", b'"text"', b'{"detail": 1.5}'])
def test_a_refusal_without_words_is_told_by_its_status(content: bytes) -> None:
    with pytest.raises(CannotTell, match=r"Unauthorized \(HTTP 401\)"):
        report(lambda _: httpx.Response(401, content=content))


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long the client would have waited; it does not."""
    seconds: list[float] = []
    monkeypatch.setattr("time.sleep", seconds.append)
    return seconds


@pytest.mark.parametrize("status", [429, 502, 503, 504])
@pytest.mark.parametrize("wait", ["0", "3", "1000000000", "-1", "soon"])
def test_a_server_that_is_busy_is_asked_again_in_a_bounded_time(status: int, wait: str, waits: list[float]) -> None:
    server, refusals = Server(), [httpx.Response(status, headers={"Retry-After": wait})]
    report(lambda request: refusals.pop() if refusals else server(request))
    assert refusals == []
    assert server.objects == EXAMPLE.objects()
    assert max(waits) == 3 if wait == "3" else max(waits) <= 3600


def test_a_server_that_stays_busy_is_given_up(waits: list[float]) -> None:
    asked = []

    def busy(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(503, json={"detail": "too many reports"})

    with pytest.raises(CannotTell, match=r"too many reports \(HTTP 503\)"):
        report(busy)
    assert 1 < len(asked) == len(waits) + 1 < 20


class Broken(httpx.SyncByteStream):
    """A body whose server ends before the body does."""

    def __iter__(self) -> Iterator[bytes]:
        yield b'{"missing": ['
        raise httpx.RemoteProtocolError("peer closed connection without sending complete message body")


def test_an_answer_that_ends_within_its_body_is_asked_for_again(waits: list[float]) -> None:
    server, broken = Server(), [httpx.Response(200, stream=Broken())]
    report(lambda request: broken.pop() if broken else server(request))
    assert server.objects == EXAMPLE.objects()
    assert len(waits) == 1


def test_a_connection_that_breaks_is_made_again(waits: list[float]) -> None:
    server, breaks = Server(), [httpx.ReadError("reset"), httpx.ConnectError("refused")]

    def breaking(request: httpx.Request) -> httpx.Response:
        if breaks:
            raise breaks.pop()
        return server(request)

    report(breaking)
    assert server.objects == EXAMPLE.objects()
    assert len(waits) == 2


def test_what_goes_wrong_on_the_way_is_told_in_words() -> None:
    def broken(_: httpx.Request) -> httpx.Response:
        raise httpx.UnsupportedProtocol("no such protocol")

    with pytest.raises(CannotTell, match=r"cannot reach https://server\.example: no such protocol"):
        report(broken)


def test_an_enrolment_trades_the_token_for_the_agents_own_credential() -> None:
    enrolment, asked = Enrolment(SERVER, "/"), []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append((request.url.path, json.loads(gzip.decompress(request.content))))
        return httpx.Response(200, json={"environment": "prod"})

    with speaking_to(answer) as client:
        assert client.enrol(enrolment, "web-1", "prod", {"role": "web"}) == "prod"
    [(path, body)] = asked
    assert path == f"/api/v1/hosts/{enrolment.host_id}"
    assert body == {
        "name": "web-1",
        "environment": "prod",
        "labels": {"role": "web"},
        "credential": enrolment.credential,
    }


def test_an_answer_that_names_no_environment_is_no_enrolment() -> None:
    with speaking_to(lambda _: httpx.Response(200, json={})) as client, pytest.raises(CannotTell):
        client.enrol(Enrolment(SERVER, "/"), "web-1", None, {})


def test_a_selector_is_asked_for_and_comes_with_its_notes() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        assert request.url.params["of"] == "host:web 1@2026-11-01T02:00"
        return httpx.Response(200, json={"fingerprint": EXAMPLE.document(), "notes": ["stale"]})

    with speaking_to(answer) as client:
        found, notes, _ = client.fingerprint("host:web 1@2026-11-01T02:00")
    assert (found.root, notes) == (EXAMPLE.root, ["stale"])


def test_a_fingerprint_that_does_not_fit_its_hash_is_refused() -> None:
    wrong = {**EXAMPLE.document(), "root": f"sha256:{'0' * 64}"}
    with (
        speaking_to(lambda _: httpx.Response(200, json={"fingerprint": wrong})) as client,
        pytest.raises(InvalidDocument),
    ):
        client.fingerprint("env:prod")


def test_a_verdict_is_asked_for_with_the_whole_fingerprint() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        asked = json.loads(gzip.decompress(request.content))
        assert asked["fingerprint"] == json.loads(json.dumps(EXAMPLE.document()))
        assert (request.method, asked["against"]) == ("POST", "env:prod")
        return httpx.Response(200, json={"verdict": "parity"})

    with speaking_to(answer) as client:
        assert client.gate(EXAMPLE, {"against": "env:prod"}) == {"verdict": "parity"}
