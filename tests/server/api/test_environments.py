"""Tests of environments by the API: how their hosts stand, and what they are meant to be like."""

from datetime import UTC, datetime

import pytest

from envparity_server.storage import audit
from envparity_server.storage.database import reading, writing
from tests.server.asking import Asking
from tests.server.fleet import enrolled, reported
from tests.server.making import OPERATING_SYSTEM, host


@pytest.fixture
def operator(api: Asking) -> Asking:
    """Somebody who may decide, on a server with two environments."""
    with writing(api.engine) as connection:
        reported(connection, "web-1", host(OPERATING_SYSTEM), datetime.now(UTC), "prod")
        enrolled(connection, "dev-1", "dev")
    return api.as_role("operator")


def test_environments_are_listed_with_their_hosts(operator: Asking) -> None:
    answer = operator.get("/api/v1/environments").json()
    assert [
        (one["name"], one["against"], one["hosts"]["fresh"], one["hosts"]["never"]) for one in answer["environments"]
    ] == [
        ("dev", None, 0, 1),
        ("prod", None, 1, 0),
    ]
    assert answer["total"] == 2
    assert operator.get("/api/v1/environments/prod").json() == answer["environments"][1]
    part = operator.get("/api/v1/environments", limit="1", offset="1").json()
    assert ([one["name"] for one in part["environments"]], part["total"]) == (["prod"], 2)


def test_an_environment_is_told_what_it_is_meant_to_be_like(operator: Asking) -> None:
    answer = operator.ask("PUT", "/api/v1/environments/dev", json={"against": "env:prod,role=web"})
    assert (answer.status_code, answer.json()["against"]) == (200, "env:prod,role=web")
    assert operator.get("/api/v1/environments/dev").json() == answer.json()
    assert operator.ask("PUT", "/api/v1/environments/dev", json={}).json()["against"] is None
    assert operator.ask("PUT", "/api/v1/environments/test", json={}).status_code == 200
    with reading(operator.engine) as connection:
        told = [(one.action, one.object, one.environment) for one in audit.entries(connection)]
    assert told == [
        ("environment.add", "test", "test"), ("environment.set", "dev", "dev"), ("environment.set", "dev", "dev"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("a b", {}),
        ("-a", {}),
        ("a" * 64, {}),
        ("dev", {"against": "prod"}),
        ("dev", {"against": ""}),
        ("dev", {"x": 1}),
    ],
)
def test_a_wrong_environment_is_refused(operator: Asking, name: str, body: dict[str, object]) -> None:
    assert operator.ask("PUT", f"/api/v1/environments/{name}", json=body).status_code == 422


def test_an_environment_that_is_not_seen_is_not_there(operator: Asking) -> None:
    scoped = operator.as_role("operator", frozenset({"dev", "new"}))
    assert [one["name"] for one in scoped.get("/api/v1/environments").json()["environments"]] == ["dev"]
    for name in ("prod", "nowhere", "new"):
        answers = [scoped.get(f"/api/v1/environments/{name}")]
        answers.append(scoped.ask("PUT", f"/api/v1/environments/{name}", json={}))
        assert [one.status_code for one in answers] == [404, 404], name
    assert scoped.ask("PUT", "/api/v1/environments/dev", json={}).status_code == 200


@pytest.mark.parametrize(
    "against",
    ["env:prod", "env:nowhere", "role=web", "host:web-1", "host:dev-1", "env:prod@yesterday#os", "baseline:x"],
)
def test_who_sees_one_environment_holds_it_against_nothing_else(operator: Asking, against: str) -> None:
    scoped = operator.as_role("operator", frozenset({"dev"}))
    answer = scoped.ask("PUT", "/api/v1/environments/dev", json={"against": against})
    assert answer.status_code == (404 if against == "baseline:x" else 422)
    assert "env:prod" not in answer.json()["advice"]
    assert operator.get("/api/v1/environments/dev").json()["against"] is None


def test_who_sees_one_environment_holds_it_against_what_is_there(operator: Asking) -> None:
    scoped = operator.as_role("operator", frozenset({"dev"}))
    (own,) = scoped.get("/api/v1/hosts").json()["hosts"]
    for against in ("env:dev@2026-11-01T02:00", f"host:{own['id']}"):
        answer = scoped.ask("PUT", "/api/v1/environments/dev", json={"against": against})
        assert (answer.status_code, answer.json()["against"]) == (200, against)
