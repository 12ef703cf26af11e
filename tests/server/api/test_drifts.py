"""Tests of drifts over the API: list, show, acknowledge, snooze, reopen; who may, and what two do at once."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from envparity_agent.fingerprint import Fingerprint
from envparity_server.evaluation import evaluate
from envparity_server.storage import access, audit
from envparity_server.storage.database import reading, writing
from tests.server.asking import LIFE, Asking
from tests.server.fleet import report, reported
from tests.server.making import ENGINE, OPERATING_SYSTEM, SEARCHED, host, packages

QUARTER = timedelta(minutes=15)


def running(version: str) -> Fingerprint:
    """A host with a version of idna."""
    return host(OPERATING_SYSTEM, SEARCHED, ENGINE, packages({"idna": version, "flask": "3.0"}))


def fill(engine: Engine) -> None:
    """Two environments of four hosts, in each of which one host changed and the drift is told."""
    begun = datetime.now(UTC) - timedelta(hours=3)
    with writing(engine) as connection:
        fleet = {
            environment: [
                reported(connection, f"{environment}-{number}", running("3.4"), begun, environment)
                for number in range(4)
            ]
            for environment in ("prod", "test")
        }
        evaluate(connection, begun)
        changed = {"prod": running("4.0"), "test": running("3.7")}
        for quarters in range(1, 7):
            for environment, members in fleet.items():
                for number, one in enumerate(members):
                    runs = running("3.4") if number else changed[environment]
                    report(connection, one, runs, begun + quarters * QUARTER)
            evaluate(connection, begun + quarters * QUARTER)


@dataclass(frozen=True)
class Inbox:
    """An operator and the ids of the drift of each environment."""

    operator: Asking
    prod: str
    test: str

    def decide(self, id: str, decision: str, **body: Any) -> Any:
        """The answer to a decision."""
        return self.operator.ask("POST", f"/api/v1/drifts/{id}/{decision}", json=body)


@pytest.fixture
def inbox(api: Asking) -> Inbox:
    """Two drifts."""
    fill(api.engine)
    operator = api.as_role("operator")
    found = operator.get("/api/v1/drifts").json()["drifts"]
    ids = {one["environment"]: one["id"] for one in found}
    return Inbox(operator, ids["prod"], ids["test"])


def scoped(inbox: Inbox) -> Asking:
    """An operator of test only."""
    with writing(inbox.operator.engine) as connection:
        token = access.make_access_token(
            connection, "operator", "scoped", LIFE, datetime.now(UTC), environments=frozenset({"test"})
        )
    return inbox.operator.bearing(token)


def test_the_most_severe_come_first_and_are_chosen_by_state_severity_and_environment(inbox: Inbox) -> None:
    def listed(**query: str) -> list[str]:
        answer = inbox.operator.get("/api/v1/drifts", **query)
        assert answer.status_code == 200, answer.text
        assert answer.json()["total"] >= len(answer.json()["drifts"])
        return [one["id"] for one in answer.json()["drifts"]]

    assert listed() == listed(state="new") == listed(state="all") == [inbox.prod, inbox.test]
    assert listed(severity="high") == listed(environment="prod") == listed(limit="1") == [inbox.prod]
    assert listed(offset="1") == [inbox.test]
    assert listed(state="resolved") == listed(environment="dev") == []


def test_a_drift_is_shown_with_hosts_items_and_words(inbox: Inbox) -> None:
    found = inbox.operator.get(f"/api/v1/drifts/{inbox.prod}").json()
    assert (found["hosts"], found["host_count"], found["item_count"]) == (["prod-0"], 1, 1)
    (item,) = found["items"]
    assert (item["item"], item["left"], item["right"], item["hosts"]) == ("idna", "4.0", "3.4", ["prod-0"])
    assert item["since"]["after"] < item["since"]["before"]
    assert found["words"].startswith("python/srv/shop: idna 3.4 -> 4.0 on prod-0, since between")
    assert (found["state"], found["severity"], found["moved"], found["version"]) == ("new", "high", "host", 2)


def test_a_drift_is_acknowledged_with_a_reason_snoozed_and_reopened(inbox: Inbox) -> None:
    until = (datetime.now(UTC) + timedelta(days=3)).isoformat()
    steps = (
        ("acknowledge", {"version": 2, "reason": "a hotfix"}, ("acknowledged", "a hotfix")),
        ("snooze", {"version": 3, "reason": "after the release", "until": until}, ("snoozed", "after the release")),
        ("reopen", {"version": 4}, ("ongoing", None)),
    )
    for decision, body, expected in steps:
        answer = inbox.decide(inbox.prod, decision, **body)
        assert answer.status_code == 200, answer.text
        assert (answer.json()["state"], answer.json()["reason"]) == expected
    with reading(inbox.operator.engine) as connection:
        entries = [one for one in audit.entries(connection) if one.object == inbox.prod]
    assert [one.action for one in reversed(entries)] == ["drift.acknowledge", "drift.snooze", "drift.reopen"]
    assert {one.environment for one in entries} == {"prod"}
    assert entries[-1].detail["reason"] == "a hotfix"


def test_the_second_of_two_who_decide_at_once_is_told(inbox: Inbox) -> None:
    assert inbox.decide(inbox.prod, "acknowledge", version=2, reason="mine").status_code == 200
    answer = inbox.decide(inbox.prod, "acknowledge", version=2, reason="mine too")
    assert answer.status_code == 409
    assert f"envparity drifts show {inbox.prod}" in answer.json()["advice"]


def test_what_nobody_decided_about_cannot_be_reopened(inbox: Inbox) -> None:
    assert inbox.decide(inbox.prod, "reopen", version=2).status_code == 409


@pytest.mark.parametrize(
    ("decision", "body"),
    [
        ("acknowledge", {"version": 2}),
        ("acknowledge", {"version": 2, "reason": ""}),
        ("acknowledge", {"version": 2, "reason": "a\0b"}),
        ("acknowledge", {"reason": "without the version"}),
        ("snooze", {"version": 2, "reason": "for ever"}),
        ("snooze", {"version": 2, "reason": "past", "until": "2020-01-01T00:00:00Z"}),
        ("snooze", {"version": 2, "reason": "no zone", "until": "2099-01-01T00:00:00"}),
        ("reopen", {"version": 2, "reason": "nobody asked"}),
    ],
)
def test_a_decision_that_is_not_whole_is_refused(inbox: Inbox, decision: str, body: dict[str, Any]) -> None:
    assert inbox.decide(inbox.prod, decision, **body).status_code == 422


def test_several_are_decided_about_together_or_none(inbox: Inbox) -> None:
    def decide(*versions: int) -> Any:
        chosen = [{"id": id, "version": one} for id, one in zip((inbox.prod, inbox.test), versions, strict=True)]
        body = {"decision": "acknowledge", "drifts": chosen, "reason": "known"}
        return inbox.operator.ask("POST", "/api/v1/drifts/decisions", json=body)

    assert decide(2, 1).status_code == 409
    assert inbox.operator.get("/api/v1/drifts", state="acknowledged").json()["total"] == 0
    assert [one["state"] for one in decide(2, 2).json()["drifts"]] == ["acknowledged", "acknowledged"]
    lacking = {"decision": "snooze", "drifts": [{"id": inbox.prod, "version": 3}], "reason": "no end"}
    assert inbox.operator.ask("POST", "/api/v1/drifts/decisions", json=lacking).status_code == 422


def test_what_is_of_another_environment_is_not_there(inbox: Inbox) -> None:
    other = scoped(inbox)
    assert [one["id"] for one in other.get("/api/v1/drifts").json()["drifts"]] == [inbox.test]
    assert other.get("/api/v1/drifts", environment="prod").json() == {"drifts": [], "total": 0}
    strange = other.get("/api/v1/drifts/0123456789abcdef")
    hidden = other.get(f"/api/v1/drifts/{inbox.prod}")
    assert strange.status_code == hidden.status_code == 404
    assert hidden.json()["detail"] == strange.json()["detail"].replace("0123456789abcdef", inbox.prod)
    decided = other.ask("POST", f"/api/v1/drifts/{inbox.prod}/acknowledge", json={"version": 2, "reason": "x"})
    both = {"decision": "acknowledge", "reason": "x"} | {
        "drifts": [{"id": id, "version": 2} for id in (inbox.test, inbox.prod)]
    }
    assert decided.status_code == other.ask("POST", "/api/v1/drifts/decisions", json=both).status_code == 404
    assert inbox.operator.get("/api/v1/drifts", state="acknowledged").json()["total"] == 0


def test_a_viewer_reads_and_decides_nothing(inbox: Inbox) -> None:
    viewer = inbox.operator.as_role("viewer")
    assert viewer.get(f"/api/v1/drifts/{inbox.prod}").status_code == 200
    refused = viewer.ask("POST", f"/api/v1/drifts/{inbox.prod}/acknowledge", json={"version": 2, "reason": "x"})
    assert refused.status_code == 403
