"""The agent as a service: it reports at once, and a signal ends it."""

import json
import signal
from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from tests.forking import PROGRAM
from tests.system.daemons import running, wait_until_ready
from tests.system.fleet import Fleet
from tests.system.serving import Served, envparity

pytestmark = [pytest.mark.system, pytest.mark.parametrize("server", ["sqlite"], indirect=True)]


def _host(server: Served, token: str, name: str) -> Mapping[str, Any]:
    answer = httpx.get(f"{server.address}/api/v1/hosts", headers={"Authorization": f"Bearer {token}"})
    found: Mapping[str, Any] = next(one for one in answer.json()["hosts"] if one["name"] == name)
    return found


def test_an_agent_that_runs_reports_at_once_and_ends_by_a_signal(server: Served, fleet: Fleet) -> None:
    token, state = server.token("viewer"), server.home / "agent-serving"
    enrolled = envparity(
        "agent", "enroll", "--server", server.address, "--root", fleet.bullseye.root, "--name", "serving",
        "--state", state, environment={"ENVPARITY_TOKEN": server.token("enrol", "--environment", "serving")},
    )  # fmt: skip
    assert enrolled.exit_code == 0, enrolled.complaint
    log = server.home / "agent.log"
    with running([PROGRAM, "agent", "run", "--state", state], log) as process:
        wait_until_ready("the agent", process, log, lambda: _host(server, token, "serving")["state"] == "fresh")
        second = envparity("agent", "once", "--state", state)
        assert (second.exit_code, "nothing to do" in second.complaint) == (0, True)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0, log.read_text()
    told = json.loads(envparity("agent", "status", "--json", "--state", state).output)
    assert (told["last_report"], told["waiting"]) == (1, None)
