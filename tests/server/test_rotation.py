"""Tests of changing a host's credential: the agent's own code against the server, killed at every step."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from envparity_agent import state
from envparity_agent.client import Client
from envparity_agent.rotation import rotate
from envparity_agent.state import Enrolment
from envparity_server.storage import audit
from envparity_server.storage.database import reading
from tests.server.api.test_agents import InProcess
from tests.server.asking import CREDENTIAL, HOST_ID, Asking

OTHER = "f" * 16
NEW = "epa_fedcba9876543210fedcba9876543210-"
ADDRESS = f"/api/v1/hosts/{HOST_ID}/credential"


class Killed(BaseException):
    """The agent's process ends here."""


class Fragile(httpx.BaseTransport):
    """Carries so many requests; the one after them is lost, on its way or with its answer."""

    def __init__(self, carrier: InProcess, whole: int, heard: bool) -> None:
        self._carrier, self._left, self._heard = carrier, whole, heard

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self._left -= 1
        if self._left >= 0:
            return self._carrier.handle_request(request)
        if self._heard:
            self._carrier.handle_request(request)
        raise Killed


def connecting(carrier: httpx.BaseTransport) -> Callable[[str, str], Client]:
    """How the agent reaches the application without a socket."""
    return lambda server, token: Client(server, token, carrier)


@pytest.fixture
def enrolment(api: Asking, tmp_path: Path) -> Enrolment:
    """An agent that is enrolled, its state kept."""
    made = Enrolment("http://envparity.test", "/", host_id=HOST_ID, credential=CREDENTIAL)
    assert api.enrol(api.enrolment_token()).status_code == 200
    state.save(tmp_path, made)
    return made


def accepted(api: Asking, credential: str) -> bool:
    """Whether the server takes what comes with a credential."""
    return bool(credential) and api.bearing(credential).upload().status_code == 200


def test_a_new_credential_takes_the_place_of_the_old_one(api: Asking, enrolment: Enrolment, tmp_path: Path) -> None:
    changed = rotate(tmp_path, enrolment, connecting(InProcess(api)))
    assert state.load(tmp_path) == changed
    assert changed.credential != CREDENTIAL
    assert (accepted(api, changed.credential), accepted(api, CREDENTIAL)) == (True, False)
    with reading(api.engine) as connection:
        told = [(one.actor, one.action, one.object, one.detail) for one in audit.entries(connection)]
    assert (f"host:{HOST_ID}", "host.credential", HOST_ID, {}) in told
    assert changed.credential not in str(told)


@pytest.mark.parametrize("heard", [False, True], ids=["request lost", "answer lost"])
@pytest.mark.parametrize("whole", [0, 1])
def test_an_agent_that_is_killed_between_goes_on_and_is_never_locked_out(
    api: Asking, enrolment: Enrolment, tmp_path: Path, whole: int, heard: bool
) -> None:
    with suppress(Killed):
        rotate(tmp_path, enrolment, connecting(Fragile(InProcess(api), whole, heard)))
    left = state.load(tmp_path)
    assert (left.credential, bool(left.next_credential)) == (CREDENTIAL, True)
    used = (whole, heard) == (1, True)
    assert accepted(api, CREDENTIAL) is not used
    changed = rotate(tmp_path, left, connecting(InProcess(api)))
    assert changed.credential == left.next_credential
    assert (accepted(api, changed.credential), accepted(api, CREDENTIAL)) == (True, False)


def test_both_are_valid_until_the_new_one_is_used(api: Asking, enrolment: Enrolment) -> None:
    old, new = api.bearing(enrolment.credential), api.bearing(NEW)
    for _ in range(2):
        answer = old.ask("POST", ADDRESS, json={"credential": NEW})
        assert (answer.status_code, answer.json()) == (200, {"host": HOST_ID, "credential": "announced"})
    assert old.upload().status_code == 200
    assert new.upload().status_code == 200
    assert old.upload().status_code == 401
    answer = new.ask("POST", ADDRESS, json={"credential": NEW})
    assert (answer.status_code, answer.json()["credential"]) == (200, "in use")


def test_another_one_that_is_announced_takes_the_place_of_the_first(api: Asking, enrolment: Enrolment) -> None:
    old = api.bearing(enrolment.credential)
    for credential in ("x" * 40, NEW):
        assert old.ask("POST", ADDRESS, json={"credential": credential}).status_code == 200
    assert (accepted(api, "x" * 40), accepted(api, NEW)) == (False, True)


def test_the_credential_of_another_host_is_refused(api: Asking, enrolment: Enrolment) -> None:
    api.as_agent(OTHER, NEW)
    agent = api.bearing(enrolment.credential)
    assert agent.ask("POST", ADDRESS, json={"credential": NEW}).status_code == 409
    assert (accepted(api, enrolment.credential), accepted(api, NEW)) == (True, True)


@pytest.mark.parametrize("credential", ["", "short", "x" * 129, "ä" * 40, "x" * 40 + "\n", 5, None])
def test_what_no_header_could_carry_is_no_credential(api: Asking, enrolment: Enrolment, credential: object) -> None:
    agent = api.bearing(enrolment.credential)
    assert agent.ask("POST", ADDRESS, json={"credential": credential}).status_code == 422


def test_a_host_cannot_change_the_credential_of_another_and_the_audit_tells(api: Asking, enrolment: Enrolment) -> None:
    other = api.as_agent(OTHER, "g" * 32)
    for _ in range(3):
        assert other.ask("POST", ADDRESS, json={"credential": NEW}).status_code == 403
    assert accepted(api, enrolment.credential)
    with reading(api.engine) as connection:
        told = [one for one in audit.entries(connection) if one.action == "host.impostor"]
    assert [(one.actor, one.object, one.environment) for one in told] == [(f"host:{OTHER}", HOST_ID, "prod")]
