"""Tests of hosts by the API: listed and filtered, named anew, moved, retired; and of hosts that come and go."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from envparity_server.storage import access, audit, hosts
from envparity_server.storage.database import reading, writing
from tests.server.asking import CREDENTIAL, HOST_ID, LIFE, Asking
from tests.server.fleet import enrolled, reported
from tests.server.making import OPERATING_SYSTEM, host

RUNNING = host(OPERATING_SYSTEM)
ADDRESS = f"/api/v1/hosts/{HOST_ID}"


@pytest.fixture
def fleet(api: Asking) -> Asking:
    """A server with hosts in every state, and somebody who may decide about them."""
    now = datetime.now(UTC)
    with writing(api.engine) as connection:
        reported(connection, "web-1", RUNNING, now, "prod", {"role": "web", "zone": "a"})
        reported(connection, "web-2", RUNNING, now - timedelta(days=2), "prod", {"role": "web"})
        enrolled(connection, "dev-1", "dev")
        hosts.retire(connection, enrolled(connection, "old-1", "prod").id, now)
        hosts.add(connection, "1" * 16, "runner-1", "ci", {}, "1", now - timedelta(days=1), timedelta(hours=1))
        hosts.add(connection, "2" * 16, "runner-2", "ci", {}, "2", now, timedelta(hours=1))
    return api.as_role("operator")


def names(asking: Asking, **query: Any) -> list[str]:
    """The hosts that a query finds."""
    answer = asking.ask("GET", "/api/v1/hosts", params=query)
    assert answer.status_code == 200, answer.text
    assert answer.json()["total"] == len(answer.json()["hosts"])
    return [one["name"] for one in answer.json()["hosts"]]


def test_hosts_are_listed_with_their_state(fleet: Asking) -> None:
    found = fleet.get("/api/v1/hosts").json()
    assert [(one["name"], one["environment"], one["state"], one["ephemeral"]) for one in found["hosts"]] == [
        ("runner-2", "ci", "never reported", True),
        ("dev-1", "dev", "never reported", False),
        ("web-1", "prod", "fresh", False),
        ("web-2", "prod", "stale", False),
    ]
    assert found["total"] == 4
    web = found["hosts"][2]
    assert (web["root"], web["labels"], web["interval"], web["agent"]) == (
        f"sha256:{RUNNING.root}", {"role": "web", "zone": "a"}, 900, "1.0",
    )  # fmt: skip
    assert found["hosts"][0]["expires_at"].endswith(("Z", "+00:00"))
    assert "credential" not in str(found)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"environment": "prod"}, ["web-1", "web-2"]),
        ({"environment": "pro"}, []),
        ({"label": "role=web"}, ["web-1", "web-2"]),
        ({"label": ["role=web", "zone=a"]}, ["web-1"]),
        ({"label": "role=db"}, []),
        ({"state": "stale"}, ["web-2"]),
        ({"state": "never reported"}, ["runner-2", "dev-1"]),
        ({"state": "retired"}, ["old-1"]),
        ({"state": "expired"}, ["runner-1"]),
        ({"state": "fresh", "q": "WEB prod"}, ["web-1"]),
        ({"q": "zone=a"}, ["web-1"]),
        ({"name": "web-1"}, ["web-1"]),
        ({"name": "web"}, []),
        ({"name": "old-1"}, []),
        ({"name": access.hashed("old-1")[:16]}, ["old-1"]),
        ({"name": "runner-1"}, ["runner-1"]),
    ],
)
def test_hosts_are_filtered(fleet: Asking, query: dict[str, Any], found: list[str]) -> None:
    assert names(fleet, **query) == found


def test_a_part_of_the_hosts_is_told_with_how_many_there_are(fleet: Asking) -> None:
    answer = fleet.ask("GET", "/api/v1/hosts", params={"limit": 2, "offset": 1}).json()
    assert ([one["name"] for one in answer["hosts"]], answer["total"]) == (["dev-1", "web-1"], 4)
    for wrong in ({"limit": 0}, {"limit": 1001}, {"offset": -1}, {"state": "dead"}, {"label": "role"}, {"label": "=x"}):
        assert fleet.ask("GET", "/api/v1/hosts", params=wrong).status_code == 422, wrong


def test_nobody_learns_of_hosts_that_he_does_not_see(fleet: Asking) -> None:
    scoped = fleet.as_role("viewer", frozenset({"dev"}))
    assert names(scoped) == ["dev-1"]
    assert names(scoped, environment="prod") == names(scoped, name="web-1") == names(scoped, q="web") == []


def test_a_host_is_shown_whether_it_is_there_or_gone(fleet: Asking) -> None:
    for name, state in (("web-1", "fresh"), ("old-1", "retired")):
        answer = fleet.get(f"/api/v1/hosts/{access.hashed(name)[:16]}").json()
        assert (answer["name"], answer["state"], bool(answer["retired_at"])) == (name, state, state == "retired")
    assert fleet.get("/api/v1/hosts/" + "0" * 16).status_code == 404


def test_hosts_with_one_machine_id_are_told(fleet: Asking) -> None:
    now = datetime.now(UTC)
    with writing(fleet.engine) as connection:
        for name in ("web-1", "web-2", "dev-1"):
            hosts.record(connection, access.hashed(name)[:16], {"identity": {"machine_id": "a" * 32}}, now)
    told = {one["name"]: one["notes"] for one in fleet.get("/api/v1/hosts").json()["hosts"]}
    assert (told["runner-2"], len(told["web-1"])) == ([], 1)
    assert "web-2" in told["web-1"][0]
    assert "dev-1" in told["web-1"][0]
    [seen] = fleet.as_role("viewer", frozenset({"dev"})).get("/api/v1/hosts").json()["hosts"]
    assert seen["notes"] == []


def test_a_host_gets_another_name_environment_and_labels(fleet: Asking) -> None:
    address = f"/api/v1/hosts/{access.hashed('web-1')[:16]}"
    body = {"name": "wéb 01", "environment": "dev", "labels": {"role": None, "tier": "front"}}
    answer = fleet.ask("PATCH", address, json=body)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["name"], told["environment"], told["labels"]) == ("wéb 01", "dev", {"zone": "a", "tier": "front"})
    assert fleet.get(address).json() == told
    with reading(fleet.engine) as connection:
        entry = audit.entries(connection)[0]
    assert (entry.actor, entry.action, entry.environment) == ("token:tests", "host.change", "dev")
    assert (entry.detail["before"]["name"], entry.detail["after"]["name"]) == ("web-1", "wéb 01")


def test_a_change_that_changes_nothing_is_no_decision(fleet: Asking) -> None:
    address = f"/api/v1/hosts/{access.hashed('web-1')[:16]}"
    unchanged: list[dict[str, Any]] = [
        {},
        {"name": "web-1"},
        {"labels": {}},
        {"labels": {"nowhere": None}},
        {"environment": "prod"},
    ]
    for body in unchanged:
        assert fleet.ask("PATCH", address, json=body).status_code == 200
    with reading(fleet.engine) as connection:
        assert audit.entries(connection) == []


@pytest.mark.parametrize(
    "body",
    [
        {"name": ""},
        {"name": "x" * 256},
        {"name": "web\0"},
        {"name": 1},
        {"environment": ""},
        {"environment": "a b"},
        {"environment": "prdo"},
        {"labels": {"a b": "x"}},
        {"labels": {"role": ""}},
        {"labels": {"role": "a,b"}},
        {"labels": {f"l{number}": "x" for number in range(65)}},
        {"labels": []},
        {"credential": "x"},
        [],
    ],
    ids=lambda body: str(body)[:40],
)
def test_a_wrong_change_is_refused(fleet: Asking, body: Any) -> None:
    address = f"/api/v1/hosts/{access.hashed('web-1')[:16]}"
    before = fleet.get(address).json()
    answer = fleet.ask("PATCH", address, json=body)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert fleet.get(address).json() == before


def test_labels_that_come_one_by_one_are_bounded(fleet: Asking) -> None:
    address = f"/api/v1/hosts/{access.hashed('dev-1')[:16]}"
    answers = [
        fleet.ask("PATCH", address, json={"labels": {f"{part}-{number}": "x" for number in range(40)}}).status_code
        for part in "ab"
    ]
    assert answers == [200, 422]


def test_a_host_is_moved_only_between_environments_that_are_seen(fleet: Asking) -> None:
    scoped = fleet.as_role("operator", frozenset({"dev", "nowhere"}))
    address = f"/api/v1/hosts/{access.hashed('dev-1')[:16]}"
    answers = [scoped.ask("PATCH", address, json={"environment": name}) for name in ("prod", "unheard-of")]
    assert [one.status_code for one in answers] == [422, 422]
    assert answers[0].text.replace("prod", "X") == answers[1].text.replace("unheard-of", "X")


def test_a_host_that_is_retired_reports_no_more_and_keeps_its_history(api: Asking) -> None:
    agent, operator = api.as_agent(), api.as_role("operator")
    agent.deliver(RUNNING)
    for _ in range(2):
        answer = operator.ask("POST", f"{ADDRESS}/retire")
        assert (answer.status_code, answer.json()["state"]) == (200, "retired")
    assert (agent.report(RUNNING, 2).status_code, agent.upload().status_code) == (401, 401)
    assert operator.get("/api/v1/fingerprints", of="env:prod").status_code == 424
    assert operator.get("/api/v1/fingerprints", of=f"host:{HOST_ID}").status_code == 200
    with reading(api.engine) as connection:
        assert [one.action for one in audit.entries(connection)] == ["host.retire", "host.enrol"]
    again = api.enrol(api.enrolment_token())
    assert (again.status_code, agent.upload().status_code) == (409, 401)


def test_a_host_of_an_ephemeral_token_ends_by_itself(api: Asking) -> None:
    now = datetime.now(UTC)
    with writing(api.engine) as connection:
        token = access.make_enrolment_token(connection, "ci", 1, LIFE, now, host_life=timedelta(hours=1))
    assert api.enrol(token, environment=None).status_code == 200
    agent = api.bearing(CREDENTIAL)
    assert agent.deliver(RUNNING).json()["accepted"] is True
    with writing(api.engine) as connection:
        one = hosts.by_id(connection, HOST_ID)
        assert one is not None
        assert one.credential_expires_at is not None
        assert (one.ephemeral, one.credential_expires_at - one.enrolled_at) == (True, timedelta(hours=1))
        hosts.change(connection, HOST_ID, credential_expires_at=now - timedelta(seconds=1))
    assert agent.report(RUNNING, 2).status_code == 401
    assert names(api.as_role("viewer"), state="expired") == ["web-1"]


@pytest.mark.parametrize("ahead", [timedelta(0), timedelta(hours=2), timedelta(days=-3)])
def test_a_clock_that_is_off_is_told(api: Asking, ahead: timedelta) -> None:
    agent = api.as_agent()
    agent.deliver(RUNNING, sent_at=(datetime.now(UTC) + ahead).isoformat())
    skew = api.as_role("viewer").get(ADDRESS).json()["skew"]
    assert abs(skew - ahead.total_seconds()) < 60


@pytest.mark.parametrize(
    ("sent_at", "status"),
    [("0001-01-01T00:00:00+00:00", 200), ("9999-12-31T23:59:59", 200), ("now", 422), (5, 422)],
)
def test_a_clock_of_any_year_harms_nothing(api: Asking, sent_at: object, status: int) -> None:
    agent = api.as_agent()
    agent.upload(*RUNNING.objects().values())
    assert agent.report(RUNNING, sent_at=sent_at).status_code == status


def test_the_clock_of_an_agent_that_does_not_tell_it_is_that_of_its_fingerprint(api: Asking) -> None:
    agent = api.as_agent()
    agent.deliver(RUNNING, taken_at=(datetime.now(UTC) - timedelta(hours=1)).isoformat())
    assert abs(api.as_role("viewer").get(ADDRESS).json()["skew"] + 3600) < 60
