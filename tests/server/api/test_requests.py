"""Tests of the log: a line a request, with its id, and nothing that would give away or forge."""

import io
import json
import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from fastapi import FastAPI
from sqlalchemy import Engine

from envparity_server import logs
from envparity_server.app import create_app
from envparity_server.storage import access
from envparity_server.storage.database import writing
from tests.server.asking import Asking

Lines = Callable[[], list[str]]


@pytest.fixture(params=["json", "text"])
def form(request: pytest.FixtureRequest) -> logs.LogFormat:
    """Either form of the log."""
    return logs.LogFormat(request.param)


@pytest.fixture
def lines(form: logs.LogFormat) -> Iterator[Lines]:
    """What was logged since it was last asked; what there was before comes back."""
    root, log = logging.getLogger(), io.StringIO()
    before, level = root.handlers[:], root.level
    logs.configure(form, stream=log)

    def told() -> list[str]:
        text = log.getvalue()
        log.seek(0)
        log.truncate()
        return text.removesuffix("\n").split("\n") if text else []

    yield told
    root.handlers[:] = before
    root.setLevel(level)


@pytest.fixture
def app(sqlite: Engine) -> FastAPI:
    """The application, with a route that fails."""
    app = create_app(sqlite)

    def fail() -> None:
        secret = "a local value"  # noqa: S105, F841  # what the log must not have
        raise ZeroDivisionError

    app.add_api_route("/api/v1/fails", fail)
    app.add_api_route("/fails", fail)
    return app


@pytest.fixture
def asking(app: FastAPI, sqlite: Engine) -> Asking:
    """Somebody who asks it."""
    return Asking(app, sqlite)


def test_each_request_is_one_line_with_the_id_of_its_answer(asking: Asking, lines: Lines) -> None:
    lines()
    first, second = asking.get("/api/v1/hosts/abc"), asking.get("/login")
    told = lines()
    assert len(told) == 2
    for line, answer in zip(told, (first, second), strict=True):
        assert answer.headers["x-request-id"] in line
    assert first.headers["x-request-id"] != second.headers["x-request-id"]
    assert "/api/v1/hosts/{host_id}" in told[0]


def test_a_line_says_who_did_what_and_how_it_went(asking: Asking, lines: Lines, form: logs.LogFormat) -> None:
    viewer = asking.as_role("viewer")
    lines()
    viewer.get("/api/v1/hosts")
    [line] = lines()
    if form == logs.LogFormat.JSON:
        told = json.loads(line)
        assert told.pop("ms") >= 0
        assert set(told) == {
            "timestamp", "level", "event", "request", "method", "route", "status", "actor", "client",
        }  # fmt: skip
        assert (told["method"], told["route"], told["status"]) == ("GET", "/api/v1/hosts", 200)
        assert told["actor"].startswith("token:")
    else:
        assert "status=200" in line


def test_no_secret_is_in_the_log(asking: Asking, lines: Lines) -> None:
    token = asking.enrolment_token()
    lines()
    asking.enrol(token, credential="epa_of_the_host" * 4)
    asking.get("/login", code="the-code-of-somebody")
    asking.bearing("wrong-token").get("/api/v1/hosts", q="in-the-query")
    asking.ask("GET", "/hosts", headers={"Cookie": "envparity_session=the-session"})
    asking.ask("POST", "/login", content="password=the-password")
    told = "\n".join(lines())
    for secret in (token, "epa_of_the_host", "the-code", "wrong-token", "in-the-query", "the-session", "the-password"):
        assert secret not in told


def test_what_somebody_is_called_stays_on_one_line(asking: Asking, lines: Lines) -> None:
    with writing(asking.engine) as connection:
        name = 'x\r\n{"event": "forged"}\x1b[2J\u2028\u202e'
        token = access.make_access_token(connection, "viewer", name, timedelta(days=1), datetime.now(UTC))
    lines()
    asking.bearing(token).get("/api/v1/hosts")
    [line] = lines()
    assert line.isascii()
    assert line.isprintable()


@pytest.mark.parametrize("path", ["/api/v1/fails", "/fails"])
def test_what_nobody_expected_is_a_500_whose_id_is_in_the_log(asking: Asking, lines: Lines, path: str) -> None:
    lines()
    answer = asking.get(path)
    assert answer.status_code == 500
    told = lines()
    assert len(told) == 2  # what happened, and the request
    assert all(answer.headers["x-request-id"] in line for line in told)
    assert answer.headers["x-request-id"] in answer.text
    assert "ZeroDivisionError" in told[0]
    assert "ZeroDivisionError" not in answer.text
    assert "a local value" not in told[0]
    assert answer.headers["content-security-policy"]


def test_what_libraries_tell_is_a_line_as_well(lines: Lines, form: logs.LogFormat) -> None:
    lines()
    logging.getLogger("uvicorn.error").warning("two\r\nlines of %s", "\x1b[31mred")
    logging.getLogger("apscheduler.scheduler").info("no news")
    [line] = lines()
    assert line.isprintable()
    if form == logs.LogFormat.JSON:
        assert json.loads(line)["level"] == "warning"
