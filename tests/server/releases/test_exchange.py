"""Tests that agents and servers of neighbouring releases understand each other, and that an upgrade is no drift.

What a release's agent sent, and was answered, is recorded; where the history has its tree, its programs run as well.
"""

import base64
import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Connection, Engine, func, insert, select

from envparity_agent.client import Client
from envparity_agent.collectors.interface import Options
from envparity_agent.fingerprint import Fingerprint
from envparity_agent.spool import Report
from envparity_agent.state import Enrolment
from envparity_agent.targets import host as survey
from envparity_server.app import create_app
from envparity_server.compare.differences import compare
from envparity_server.references import resolve
from envparity_server.storage import access, history, hosts
from envparity_server.storage.content import detached
from envparity_server.storage.database import open_database, reading, writing
from envparity_server.storage.tables import change, enrolment_token
from tests.server.asking import Asking
from tests.server.releases.loading import lines
from tests.server.releases.recording import small_host
from tests.server.releases.running import Programs, in_history, present, unpacked

RECORDED = ("0.1.0",)
LIVE = in_history()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The files that every agent here reports."""
    return small_host(tmp_path / "root")


@pytest.fixture(params=[*RECORDED, *(f"{release} from history" for release in LIVE)])
def sender(request: pytest.FixtureRequest) -> str:
    """A release whose agent reports: by what was recorded, or by its own program."""
    return str(request.param)


# --- what was recorded ---


@dataclass(frozen=True)
class Exchange:
    """The recorded requests of an agent, with their answers."""

    requests: list[dict[str, Any]]

    @property
    def token(self) -> str:
        """The enrolment token that was spent."""
        return str(self.requests[0]["headers"]["authorization"]).removeprefix("Bearer ")

    @property
    def enrolment(self) -> Enrolment:
        """The agent's identity."""
        credential = str(self.requests[-1]["headers"]["authorization"]).removeprefix("Bearer ")
        *_, epoch, seq = self.requests[-1]["path"].split("/")
        host = self.requests[0]["path"].rpartition("/")[2]
        return Enrolment("http://envparity.test", "/", None, host, credential, epoch, int(seq))


def recorded(release: str) -> Exchange:
    return Exchange(lines(release, "exchange.ndjson"))


def body_of(one: dict[str, Any]) -> bytes:
    return base64.b64decode(one["body"])


def replay(asking: Asking, exchange: Exchange) -> None:
    """Send what was recorded to this server, byte by byte; every answer says what the recorded one said."""
    with writing(asking.engine) as connection:
        connection.execute(
            insert(enrolment_token).values(
                token_hash=access.hashed(exchange.token), id="0" * 16, environment="prod", uses_left=1,
                expires_at=datetime.now(UTC) + timedelta(days=1), created_by="local",
            )
        )  # fmt: skip
    for one in exchange.requests:
        answer = asking.ask(one["method"], one["path"], content=body_of(one), headers=one["headers"])
        assert (answer.status_code, answer.json() | one["answer"]) == (one["status"], answer.json()), one["path"]


def test_the_server_answers_a_recorded_agent_as_its_own_server_did(database: Engine) -> None:
    for release in RECORDED:
        exchange = recorded(release)
        replay(Asking(create_app(database), database), exchange)
        with reading(database) as connection:
            found = hosts.by_id(connection, exchange.enrolment.host_id)
            assert found is not None
            assert (found.name, found.environment, found.seq, found.agent) == ("small", "prod", 2, release)


class Recorded(httpx.BaseTransport):
    """Answers as a release's server answered its own agent, if it is asked the same in the same order."""

    def __init__(self, exchange: Exchange) -> None:
        self._coming: Iterator[dict[str, Any]] = iter(exchange.requests)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        expected = next(self._coming)
        assert (request.method, request.url.raw_path.decode()) == (expected["method"], expected["path"])
        sent, before = (gzip.decompress(body) for body in (request.read(), body_of(expected)))
        if request.headers["content-type"] == "application/json":
            said, told = json.loads(sent), json.loads(before)
            # all that was told before is told still; only who tells it, and when, is another
            assert {key: said.get(key) for key in told} | {"agent": 0, "taken_at": 0} == told | {
                "agent": 0,
                "taken_at": 0,
            }
        else:
            assert sorted(sent.split(b"\n")) == sorted(before.split(b"\n"))
        return httpx.Response(expected["status"], json=expected["answer"])


def reported(engine: Engine, host_id: str) -> Fingerprint:
    """What a host reported, as its agent had it."""
    with reading(engine) as connection:
        host = hosts.by_id(connection, host_id)
        assert host is not None
        found = resolve(connection, f"host:{host_id}", datetime.now(UTC)).fingerprint
        whole = detached(found.target, found.taken_at, found.sections)
    moving = host.observed
    sections = {path: replace(one, observed=moving.get(path, {})) for path, one in whole.sections.items()}
    return Fingerprint(whole.target, whole.taken_at, sections, host.identity, moving.get("survey", {}))


@pytest.mark.parametrize("release", RECORDED)
def test_the_agent_delivers_to_a_recorded_server_as_its_own_agent_did(sqlite: Engine, release: str) -> None:
    exchange = recorded(release)
    replay(Asking(create_app(sqlite), sqlite), exchange)
    whole = reported(sqlite, exchange.enrolment.host_id)
    enrolment, carrier = exchange.enrolment, Recorded(exchange)
    with Client(enrolment.server, exchange.token, carrier) as client:
        assert client.enrol(enrolment, "small", None, {"role": "web"}) == "prod"
    with Client(enrolment.server, enrolment.credential, carrier) as client:
        for seq in (1, 2):
            client.report(Report(enrolment.epoch, seq, whole), enrolment.host_id, 900)


# --- an upgrade ---


def test_an_agent_that_is_upgraded_makes_no_drift(sender: str, database: Engine, root: Path, tmp_path: Path) -> None:
    if sender in RECORDED:
        exchange = recorded(sender)
        asking = Asking(create_app(database), database)
        replay(asking, exchange)
        upgraded = exchange.enrolment.next()
        answer = asking.bearing(upgraded.credential).deliver(
            survey(Options(root=str(root))), upgraded.seq, host_id=upgraded.host_id, epoch=upgraded.epoch
        )
        assert answer.json()["accepted"], answer.text
        with reading(database) as connection:
            no_drift(connection, upgraded.host_id, reports=3)
        return
    before = release_programs(sender, tmp_path)
    with present().serving(tmp_path) as server:
        server.enrol(before, "small", root, tmp_path / "state")
        for agent in (before, present()):
            agent.agent("once", "--state", tmp_path / "state")
        engine = open_database(server.database_url)
        with reading(engine) as connection:
            [one] = hosts.named(connection, "small")
            no_drift(connection, one.id, reports=2)
        engine.dispose()


def no_drift(connection: Connection, host_id: str, reports: int) -> None:
    """Nothing was told to have changed between the first report and the last one, nor does a comparison find any."""
    host = hosts.by_id(connection, host_id)
    assert host is not None
    assert host.seq == reports
    assert connection.scalar(select(func.count()).select_from(change)) == 0
    first = history.intervals(connection, host_id)[-1].first_seen
    now = datetime.now(UTC)
    left, right = (
        resolve(connection, text, now) for text in (f"host:{host_id}@{first.isoformat()}", f"host:{host_id}")
    )
    found = compare(left.fingerprint, right.fingerprint)
    assert (found.differences, found.unexamined) == ((), ())
    assert found.same > 0


def release_programs(sender: str, place: Path) -> Programs:
    """The programs of the release that a parameter names."""
    return unpacked(LIVE[sender.partition(" ")[0]], place / "release")


@pytest.mark.parametrize("release", LIVE or RECORDED)
def test_the_server_of_a_release_takes_this_agent_and_sees_no_drift(release: str, root: Path, tmp_path: Path) -> None:
    if release not in LIVE:
        return  # a shallow clone has the recorded server only: above
    before = unpacked(LIVE[release], tmp_path / "release")
    with before.serving(tmp_path) as server:
        for agent, name in ((before, "old"), (present(), "new")):
            server.enrol(agent, name, root, tmp_path / name)
            agent.agent("once", "--state", tmp_path / name)
        reader = {"Authorization": f"Bearer {server.token('viewer')}"}
        sides = {"left": "host:old", "right": "host:new"}
        answer = httpx.get(f"{server.address}/api/v1/compare", params=sides, headers=reader).json()
    assert (answer["differences"], answer["not_examined"], answer["notes"]) == ([], [], [])
    assert answer["summary"]["same"] > 0
