"""Checks one run of the agent against a real server on the loopback interface: numbered, kept, delivered."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from envparity_agent import state
from envparity_agent.canonical import digest
from envparity_agent.documents import examined
from envparity_agent.errors import CannotTell
from envparity_agent.reporting import report_once
from envparity_agent.spool import Spool
from tests.agent.serving import answering
from tests.agent.trees import system


class Store:
    """What a server keeps; it acknowledges once it has every object."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    def __call__(self, path: str, body: bytes) -> tuple[int, Any]:
        wanted = [json.loads(body)["root"]] if "reports" in path else []
        if not wanted:
            for line in body.split(b"\n"):
                self.objects[digest(line)] = line
                wanted += examined(line).references
        missing = [one for one in wanted if one not in self.objects]
        accepted = "reports" in path and not missing
        return 200, {"accepted": True, "root": wanted[0]} if accepted else {"missing": missing}


@pytest.fixture
def enrolled(tmp_path: Path) -> Callable[[str], Path]:
    """Enrol an agent whose host is a small root directory; returns where it keeps its state."""
    root = system(tmp_path / "root")

    def enrol(server: str) -> Path:
        state.save(tmp_path / "state", state.Enrolment(server, str(root)))
        return tmp_path / "state"

    return enrol


def test_a_report_is_delivered_and_forgotten(enrolled: Callable[[str], Path]) -> None:
    store = Store()
    with answering(store) as server:
        place = enrolled(server.url)
        found = report_once(place, 900, lambda _: None)
        report_once(place, 900, lambda _: None)
    assert store.objects == found.objects()
    assert Spool(place).waiting() is None
    enrolment = state.load(place)
    numbers = [path for path, _ in server.requests if "reports" in path]
    assert numbers[0] == f"/api/v1/reports/{enrolment.epoch}/1"
    assert numbers[-1] == f"/api/v1/reports/{enrolment.epoch}/2"


def test_a_report_that_is_refused_waits_and_its_number_is_never_used_again(enrolled: Callable[[str], Path]) -> None:
    with answering(lambda *_: (401, {"detail": "revoked"})) as server:
        place = enrolled(server.url)
        for _ in range(2):
            with pytest.raises(CannotTell, match="revoked"):
                report_once(place, 900, lambda _: None)
    assert state.load(place).seq == 2
    waiting = Spool(place).waiting()
    assert waiting is not None
    assert waiting.seq == 2


def test_what_is_sent_does_not_say_where_the_agent_keeps_its_credential(enrolled: Callable[[str], Path]) -> None:
    store = Store()
    with answering(store) as server:
        place = enrolled(server.url)
        report_once(place, 900, lambda _: None)
    sent = b"".join(body for _, body in server.requests)
    assert state.load(place).credential.encode() not in sent
    assert str(place).encode() not in sent


class Changed(Store):
    """A server that takes the next credential only: the agent ended before it could forget the old one."""

    def __init__(self) -> None:
        super().__init__()
        self.refusals = 1

    def __call__(self, path: str, body: bytes) -> tuple[int, Any]:
        if path.endswith("/credential"):
            return 200, {"host": path.split("/")[-2]}
        if self.refusals:
            self.refusals -= 1
            return 401, {"detail": "not valid"}
        return super().__call__(path, body)


def test_a_change_of_the_credential_that_was_interrupted_is_ended_by_the_next_report(
    enrolled: Callable[[str], Path],
) -> None:
    with answering(Changed()) as server:
        place = enrolled(server.url)
        changing = state.load(place).changing()
        state.save(place, changing)
        report_once(place, 900, lambda _: None)
    after = state.load(place)
    assert (after.credential, after.next_credential, after.seq) == (changing.next_credential, "", 1)
    assert Spool(place).waiting() is None


def test_a_change_that_the_server_does_not_know_keeps_no_report_back(enrolled: Callable[[str], Path]) -> None:
    with answering(Store()) as server:
        place = enrolled(server.url)
        changing = state.load(place).changing()
        state.save(place, changing)
        report_once(place, 900, lambda _: None)
        assert not any(path.endswith("/credential") for path, _ in server.requests)
    assert state.load(place).next_credential == changing.next_credential
