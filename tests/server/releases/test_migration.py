"""Tests that a database of an earlier release, brought to this schema, gives the answers which that release gave."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, select

from envparity_agent.canonical import canonical, digest
from envparity_server.app import create_app
from envparity_server.references import compare_selectors, resolve
from envparity_server.storage import content, history, hosts
from envparity_server.storage.database import check_schema, migrate, reading
from envparity_server.storage.tables import content as content_table
from envparity_server.storage.tables import history as history_table
from envparity_server.storage.tables import page_item, section_history, section_page
from tests.server.asking import Asking
from tests.server.releases.loading import answers, lines, put
from tests.server.releases.recording import END, PAIRS, SELECTORS

RELEASES = {"0.1.0": "0001"}  # release -> the revision of its schema


@pytest.fixture(params=RELEASES)
def release(request: pytest.FixtureRequest) -> str:
    """A release that was recorded."""
    return str(request.param)


@pytest.fixture
def migrated(empty_database: Engine, release: str) -> Engine:
    """A database of the release, brought to this schema."""
    put(empty_database, release, RELEASES[release])
    migrate(empty_database)
    check_schema(empty_database)
    return empty_database


@pytest.fixture
def connection(migrated: Engine) -> Iterator[Connection]:
    """A transaction on it that reads."""
    with reading(migrated) as opened:
        yield opened


def told(value: Any) -> Any:
    """A value as JSON has it."""
    return json.loads(json.dumps(value))


def said_before(before: Any, now: Any) -> bool:
    """Whether an answer says all that an earlier release's said: fields may have been added."""
    if isinstance(before, dict):
        return isinstance(now, dict) and all(key in now and said_before(before[key], now[key]) for key in before)
    if isinstance(before, list):
        return isinstance(now, list) and len(before) == len(now) and all(map(said_before, before, now))
    return bool(before == now)


@pytest.mark.parametrize("selector", SELECTORS)
def test_a_selector_stands_for_the_same_fingerprint(connection: Connection, release: str, selector: str) -> None:
    found = resolve(connection, selector, END)
    now = {
        "notes": found.notes,
        "sections": {path: f"sha256:{one.hash}" for path, one in sorted(found.fingerprint.sections.items())},
    }
    assert told(now) == answers(release)["fingerprints"][selector]


@pytest.mark.parametrize(("left", "right"), PAIRS)
def test_a_comparison_is_the_same(connection: Connection, release: str, left: str, right: str) -> None:
    [before] = [one for one in answers(release)["comparisons"] if (one["left"], one["right"]) == (left, right)]
    comparison, notes = compare_selectors(connection, left, right, END)
    now = told({"left": left, "right": right, "notes": notes, "comparison": comparison.document()})
    assert said_before(before, now), f"before:\n{json.dumps(before, indent=1)}\nnow:\n{json.dumps(now, indent=1)}"


def test_tokens_and_credentials_are_still_valid(migrated: Engine, release: str) -> None:
    secrets = answers(release)["secrets"]
    asking = Asking(create_app(migrated), migrated)
    viewer = asking.bearing(secrets["viewer"])
    assert viewer.get("/api/v1/compare", left="host:web-1", right="host:web-2").status_code == 200
    pipeline = asking.bearing(secrets["ci"])
    assert pipeline.get("/api/v1/compare", left="host:web-1", right="host:web-2").status_code == 403
    assert asking.enrol(secrets["enrolment"]).json()["environment"] == "prod"
    assert asking.bearing(secrets["credential"]).upload(canonical({"sections": {}})).status_code == 200


def test_the_host_reports_on_where_it_stood(migrated: Engine, release: str) -> None:
    secrets = answers(release)["secrets"]
    asking = Asking(create_app(migrated), migrated).bearing(secrets["credential"])
    with reading(migrated) as connection:
        before = hosts.by_id(connection, secrets["host"])
    assert before is not None
    assert before.seq is not None
    head = {"host": before.id, "root": before.root, "taken_at": END.isoformat(), "interval": 900, "agent": "0.1.0"}
    for seq, duplicate in ((before.seq, True), (before.seq + 1, False)):
        answer = asking.ask("PUT", f"/api/v1/reports/{before.epoch}/{seq}", json=head)
        assert (answer.status_code, answer.json().get("duplicate")) == (200, duplicate)


def test_every_object_can_be_read_and_is_what_its_hash_says(connection: Connection, release: str) -> None:
    before = {one["row"]["hash"] for one in lines(release, "database.ndjson") if one["table"] == "content"}
    found = content.load(connection, before)
    assert set(found) == before
    assert {digest(canonical(body)) for body in found.values()} == before
    assert set(connection.scalars(select(content_table.c.hash))) == before


def test_the_sections_of_each_interval_are_those_of_its_root(connection: Connection) -> None:
    for row in connection.execute(select(history_table)).all():
        tree = history.at(connection, [row.host_id], row.first_seen)[row.host_id]
        assert tree.interval.root == row.root
        assert dict(tree.sections) == _sections(connection, row.root)


def test_a_section_that_came_back_has_an_interval_of_its_own(connection: Connection, release: str) -> None:
    host = answers(release)["secrets"]["host"]
    own = (section_history.c.host_id == host, section_history.c.path == "python/srv/shop")
    rows = connection.execute(select(section_history).where(*own).order_by(section_history.c.first_seen)).all()
    a, b, again = rows
    assert (a.hash, a.hash != b.hash) == (again.hash, True)
    assert (a.last_seen, b.last_seen, again.last_seen) == (_at(12, 30), _at(13, 15), None)


def test_the_index_has_every_item_of_what_hosts_run_now(connection: Connection) -> None:
    present = set(connection.scalars(select(section_history.c.hash).where(section_history.c.last_seen.is_(None))))
    pages = {hash: set(body["pages"]) for hash, body in content.load(connection, present).items()}
    indexed = {(row.section, row.page) for row in connection.execute(select(section_page))}
    assert indexed == {(section, page) for section, own in pages.items() for page in own}
    items = {
        (page, name)
        for page, body in content.load(connection, set().union(*pages.values())).items()
        for name in body["items"]
    }
    assert {(row.page, row.name) for row in connection.execute(select(page_item))} == items


def _at(hour: int, minute: int) -> datetime:
    return datetime(2026, 11, 1, hour, minute, tzinfo=UTC)


def _sections(connection: Connection, root: str) -> dict[str, str]:
    top = content.load(connection, [root])[root]
    parts = content.load(connection, top["parts"]).values() if "parts" in top else [top]
    return {path: hash for part in parts for path, hash in part["sections"].items()}
