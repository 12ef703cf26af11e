"""Tests of request bodies: capped before and after decompression, decoded strictly."""

import gzip
import json
import zlib
from typing import Any

import pytest
from sqlalchemy import Engine

from envparity_agent.canonical import canonical
from envparity_server.api.bodies import MAX_BODY, MAX_SENT
from envparity_server.app import create_app
from tests.server.asking import HOST_ID, Asking, zipped

REPORT = "/api/v1/reports/00112233/1"
OBJECTS = "/api/v1/objects"
GOOD = canonical({"items": {}})
BOMB = gzip.compress(b"\n" * (MAX_BODY + 1))
GZIP = {"Content-Encoding": "gzip"}


@pytest.fixture
def agent(sqlite: Engine) -> Asking:
    """An agent that has enrolled."""
    return Asking(create_app(sqlite), sqlite).as_agent()


def test_a_body_is_taken_plain_or_compressed(agent: Asking) -> None:
    assert agent.ask("PUT", OBJECTS, content=GOOD).status_code == 200
    assert agent.ask("PUT", OBJECTS, content=GOOD, headers={"Content-Encoding": "identity"}).status_code == 200
    assert agent.ask("PUT", OBJECTS, content=gzip.compress(GOOD), headers=GZIP).status_code == 200
    assert (
        agent.ask("PUT", OBJECTS, content=gzip.compress(GOOD), headers={"Content-Encoding": "GZIP"}).status_code == 200
    )
    assert agent.ask("PUT", OBJECTS, content=b"").status_code == 200


def test_a_body_of_the_size_that_is_allowed_is_taken(agent: Asking) -> None:
    assert agent.ask("PUT", OBJECTS, content=b"\n" * MAX_SENT).status_code == 200
    assert agent.ask("PUT", OBJECTS, content=gzip.compress(b"\n" * MAX_BODY), headers=GZIP).status_code == 200


@pytest.mark.parametrize(
    ("content", "encoding", "status"),
    [
        (b"\n" * (MAX_SENT + 1), "identity", 413),
        (BOMB, "gzip", 413),
        (gzip.compress(b"x" * 200 * 1024 * 1024, 1), "gzip", 413),
        (b"", "gzip", 400),
        (GOOD, "gzip", 400),
        (zlib.compress(GOOD), "gzip", 400),
        (gzip.compress(GOOD)[:-1], "gzip", 400),
        (gzip.compress(GOOD)[:10], "gzip", 400),
        (gzip.compress(GOOD)[:-8] + b"\0" * 8, "gzip", 400),
        (gzip.compress(GOOD) + b"x", "gzip", 400),
        (gzip.compress(GOOD) + gzip.compress(GOOD), "gzip", 400),
        (gzip.compress(gzip.compress(GOOD)), "gzip", 422),
        (GOOD, "br", 415),
        (GOOD, "zstd", 415),
        (GOOD, "deflate", 415),
        (gzip.compress(gzip.compress(GOOD)), "gzip, gzip", 415),
        (GOOD, "x" * 1000, 415),
    ],
    ids=["too much", "a bomb", "a large bomb", "nothing", "no gzip", "zlib", "cut", "cut in the header",
         "wrong checksum", "trailing byte", "two streams", "nested", "br", "zstd", "deflate", "twice", "unknown"],
)  # fmt: skip
def test_a_bad_body_is_refused(agent: Asking, content: bytes, encoding: str, status: int) -> None:
    answer = agent.ask("PUT", OBJECTS, content=content, headers={"Content-Encoding": encoding})
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"]


def test_the_pieces_in_which_a_body_comes_do_not_matter(agent: Asking) -> None:
    packed = gzip.compress(GOOD)

    async def pieces() -> Any:
        for byte in packed:
            yield bytes([byte])

    assert agent.ask("PUT", OBJECTS, content=pieces(), headers=GZIP).status_code == 200


def test_an_endless_body_is_refused_before_its_end(agent: Asking) -> None:
    async def endless() -> Any:
        while True:
            yield b"\n" * 65536

    assert agent.ask("PUT", OBJECTS, content=endless()).status_code == 413


JSON = {
    "no JSON": b"{",
    "a list": b"[]",
    "a number": b"1",
    "NaN": b'{"host":NaN}',
    "a float": b'{"interval":1.5}',
    "a key twice": b'{"host":"a","host":"b"}',
    "a lone surrogate": b'{"host":"\\ud800"}',
    "a byte order mark": b"\xef\xbb\xbf{}",
    "no UTF-8": b'{"host":"\xff"}',
    "depth": b'{"host":' * 50_000,
    "5,000 digits": b'{"interval":' + b"9" * 5000 + b"}",
    "nothing": b"",
}


@pytest.mark.parametrize("case", JSON)
def test_bad_json_is_refused_with_a_problem_document(agent: Asking, case: str) -> None:
    answer = agent.ask("PUT", REPORT, content=JSON[case])
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"]


@pytest.mark.parametrize(
    ("method", "path"),
    [("PUT", f"/api/v1/hosts/{HOST_ID}"), ("PUT", OBJECTS), ("PUT", REPORT), ("POST", "/api/v1/gates")],
)
def test_a_body_of_nobody_is_never_decompressed(sqlite: Engine, method: str, path: str) -> None:
    nobody = Asking(create_app(sqlite), sqlite).bearing("unknown")
    assert nobody.ask(method, path, content=BOMB, headers=GZIP).status_code == 401


def test_a_compressed_report_is_read(agent: Asking) -> None:
    head = {"host": HOST_ID, "root": "0" * 64, "taken_at": "2026-11-01T12:00:00+00:00", "interval": 900, "agent": "1"}
    assert agent.ask("PUT", REPORT, **zipped(head)).json() == {"accepted": False, "missing": ["0" * 64]}


def test_fields_that_are_not_known_yet_are_ignored(agent: Asking) -> None:
    head = {"host": HOST_ID, "root": "0" * 64, "taken_at": "2026-11-01T12:00:00+00:00", "interval": 900, "agent": "1"}
    body = json.dumps({**head, "of_a_newer_agent": {"a": [1, None]}}).encode()
    assert agent.ask("PUT", REPORT, content=body).status_code == 200
