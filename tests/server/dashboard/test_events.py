"""Tests of events: an open page is told what happens, of what the person sees, until the session or the server ends."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from typing import Any

import httpx
from sqlalchemy import Engine, delete

from envparity_server.dashboard.listeners import Listeners
from envparity_server.storage import happenings
from envparity_server.storage.actors import Role
from envparity_server.storage.database import writing
from envparity_server.storage.tables import session
from tests.server.asking import Asking
from tests.server.fleet import enrolled, report, reported
from tests.server.gating.running import kept
from tests.server.making import OPERATING_SYSTEM, SEARCHED, host, packages
from tests.server.waiting import LONGEST
from tests.server.wire import served

FIRST, SECOND = (host(OPERATING_SYSTEM, SEARCHED, packages({"idna": version})) for version in ("3.6", "3.7"))


@contextmanager
def listening(asking: Asking, path: str = "/events", first: str = "alive", **limits: Any) -> Iterator[Iterator[str]]:
    """The lines that come to somebody who is logged in."""
    asking.app.state.listeners = Listeners(asking.engine, poll=0.05, heartbeat=0.1, **limits)
    with served(asking.app) as wire:
        address = f"http://127.0.0.1:{wire.port}{path}"
        with httpx.stream("GET", address, headers=dict(asking.headers), timeout=LONGEST) as answer:
            assert (answer.status_code, answer.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
            lines = answer.iter_lines()
            assert next(lines) == f"event: {first}"
            yield lines


def before(lines: Iterator[str], last: str) -> list[str]:
    """What is told before a line that begins so, without the signs of life."""
    told = takewhile(lambda line: not line.startswith(last), lines)
    return [line for line in told if line.startswith(("event: ", 'data: {"')) and line != "event: alive"]


def test_an_open_page_is_told_of_a_host_its_report_and_its_change(pages: Asking) -> None:
    now = datetime.now(UTC)
    with listening(pages) as lines:
        with writing(pages.engine) as connection:
            one = enrolled(connection, "web-1")
            report(connection, report(connection, one, FIRST, now), SECOND, now + timedelta(seconds=1))
        told = [*before(lines, "event: report"), *before(lines, "id: ")]
    assert told == ["event: change", data := f'data: {{"id": "{one.id}"}}', data]


def test_only_what_the_person_sees_is_told(pages: Asking) -> None:
    now = datetime.now(UTC)
    ada = pages.as_person("ada", Role.ADMIN, frozenset({"dev"}))
    with listening(ada) as lines:
        with writing(pages.engine) as connection:
            kept(connection, environments=(), at=now)
            kept(connection, environments=("dev", "vault"), at=now)
            reported(connection, "secret-1", FIRST, now, "vault")
            reported(connection, "seen-1", FIRST, now + timedelta(seconds=1), "dev")
            kept(connection, environments=("dev",), at=now + timedelta(seconds=2))
        told = before(lines, "event: gate")
        assert (told[0], len(told)) == ("event: report", 2)
        assert before(lines, "id: ") == ['data: {"id": "3"}']


def test_what_happened_since_the_page_was_made_is_told_and_what_it_shows_is_not(pages: Asking) -> None:
    now = datetime.now(UTC)
    with writing(pages.engine) as connection:
        kept(connection, at=now - timedelta(seconds=30))
        kept(connection, at=now - timedelta(seconds=10))
    made = (now - timedelta(seconds=15)).isoformat().replace("+", "%2B")
    with listening(pages, f"/events?since={made}") as lines:
        assert before(lines, 'data: {"') == ["event: gate"]
        assert before(lines, "event: alive") == []


def test_who_was_away_for_too_long_is_told_so(pages: Asking) -> None:
    with listening(pages, "/events?since=2026-01-01T00:00:00", first="missed"):
        pass


def test_a_page_ends_with_its_session(pages: Asking) -> None:
    with listening(pages) as lines:
        with writing(pages.engine) as connection:
            connection.execute(delete(session))
        assert [line for line in lines if line.startswith("event: ") and line != "event: alive"] == []


def test_a_server_that_stops_waits_for_no_open_page(pages: Asking) -> None:
    pages.app.state.listeners = Listeners(pages.engine)  # nothing would be said for seconds
    with served(pages.app, drain_seconds=3600) as wire:
        address = f"http://127.0.0.1:{wire.port}/events"
        with httpx.stream("GET", address, headers=dict(pages.headers), timeout=LONGEST) as answer:
            lines = answer.iter_lines()
            assert next(lines) == "event: alive"
            wire.server.should_exit = True
            assert list(lines)
    assert pages.get("/events").status_code == 503


def test_there_is_an_end_to_how_many_pages_are_told(pages: Asking) -> None:
    with listening(pages, most=1):
        refused = pages.get("/events")
    assert (refused.status_code, refused.headers["retry-after"].isdigit()) == (503, True)


def test_a_stranger_is_told_nothing(small_api: Asking) -> None:
    assert small_api.get("/events").status_code == 303
    assert small_api.as_role("admin").get("/events").status_code == 303


def test_happenings_are_in_order_and_of_their_environments(database: Engine) -> None:
    now = datetime.now(UTC)
    with writing(database) as connection:
        one = reported(connection, "web-1", FIRST, now, "dev")
        report(connection, one, SECOND, now + timedelta(seconds=1))
        kept(connection, environments=("dev", "prod"), at=now + timedelta(seconds=2))
        kept(connection, at=now - timedelta(seconds=1))
        found = happenings.since(connection, now)
    dev = frozenset({"dev"})
    assert [(each.kind, each.environments) for each in found] == [
        ("change", dev), ("report", dev), ("gate", dev | {"prod"}),
    ]  # fmt: skip
    assert [[each.is_seen(seen) for each in found] for seen in (None, dev, dev | {"prod"}, frozenset[str]())] == [
        [True] * 3, [True, True, False], [True] * 3, [False] * 3,
    ]  # fmt: skip
