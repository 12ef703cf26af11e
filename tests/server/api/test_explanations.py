"""Tests of explanations over the API: causes with reasons, for whom they are, and what is refused."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # it ships no types

from envparity_agent.fingerprint import Attributes, Fingerprint
from envparity_server.storage.database import writing
from tests.server.asking import Asking
from tests.server.explain.situations import dist, environment
from tests.server.fleet import enrolled, report, reported
from tests.server.making import ENGINE, OPERATING_SYSTEM, SEARCHED, host

PATH = "/api/v1/explain"
SIDES = {"good": "env:dev", "bad": "env:prod"}


def running(werkzeug: str, **more: Attributes) -> Fingerprint:
    """A host with a version of werkzeug, which flask requires."""
    items = {"flask": dist("2.2.2", "werkzeug>=2.2.2"), "werkzeug": dist(werkzeug), "idna": dist("3.4"), **more}
    return host(OPERATING_SYSTEM, SEARCHED, ENGINE, environment(items))


@pytest.fixture
def fleet(api: Asking) -> Asking:
    """A server that knows a host of dev, two of prod, and one that never reported."""
    now = datetime.now(UTC)
    with writing(api.engine) as connection:
        reported(connection, "dev-1", running("2.3.8"), now, "dev")
        reported(connection, "web-1", running("3.0.1", idna=dist("3.7")), now, "prod")
        reported(connection, "web-2", running("3.0.1", idna=dist("3.7")), now, "prod")
        enrolled(connection, "silent", "staging")
    return api


@pytest.mark.parametrize("role", ["viewer", "ci", "operator"])
def test_the_causes_between_two_environments_are_ranked(fleet: Asking, role: str) -> None:
    found = fleet.as_role(role).get(PATH, **SIDES).json()
    assert [(one["rank"], one["item"]) for one in found["causes"]] == [(1, "werkzeug"), (2, "idna")]
    first = found["causes"][0]
    assert (first["section"], first["kind"]) == ("python/srv/shop", "python")
    assert any("flask 2.2.2 stayed as it was and requires werkzeug>=2.2.2" in one for one in first["reasons"])
    assert first["differences"][0]["distance"] == "major"
    assert (found["left"]["name"], found["right"]["name"]) == ("env:dev", "env:prod")
    assert "no traceback or log of the failure was given" in found["notes"]


def test_a_host_is_explained_against_what_it_was(fleet: Asking) -> None:
    before = datetime.now(UTC) - timedelta(days=2)
    with writing(fleet.engine) as connection:
        one = reported(connection, "old-1", running("2.3.8"), before, "old")
        report(connection, one, running("3.0.1"), datetime.now(UTC))
    moment = f"{before + timedelta(hours=1):%Y-%m-%dT%H:%M}"
    found = fleet.as_role("viewer").get(PATH, good=f"host:old-1@{moment}", bad="host:old-1").json()
    assert [one["item"] for one in found["causes"]] == ["werkzeug"]


def test_what_a_failing_run_printed_is_taken_as_text_of_any_kind(fleet: Asking) -> None:
    asked = {**SIDES, "traceback": "Traceback (most recent call last):\n\0\n"}
    answer = fleet.as_role("ci").ask("POST", PATH, json=asked)
    assert answer.status_code == 200, answer.text
    assert not any("traceback" in one for one in answer.json()["notes"])


def test_an_explanation_has_a_scope(fleet: Asking) -> None:
    assert fleet.as_role("viewer").get(PATH, **SIDES, only="os").json()["causes"] == []
    asked = {**SIDES, "only": "os"}
    assert fleet.as_role("viewer").ask("POST", PATH, json=asked).json()["causes"] == []


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"good": "env:dev"}, 422),
        ({**SIDES, "bad": "evn:prod"}, 422),
        ({**SIDES, "bad": "host:nobody"}, 422),
        ({**SIDES, "only": "pyhton"}, 422),
        ({**SIDES, "traceback": 5}, 422),
        ({**SIDES, "traceback": "x" * (1024 * 1024 + 1)}, 413),
        ({**SIDES, "bad": "host:silent"}, 424),
    ],
)
def test_a_wrong_question_is_told_in_words(fleet: Asking, asked: dict[str, Any], status: int) -> None:
    answer = fleet.as_role("viewer").ask("POST", PATH, json=asked)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


def test_hosts_of_other_environments_are_not_there(fleet: Asking) -> None:
    scoped = fleet.as_role("ci", frozenset({"dev"}))
    answer = scoped.get(PATH, **SIDES)
    nowhere = scoped.get(PATH, good="env:dev", bad="env:nowhere")
    assert (answer.status_code, answer.text.replace("env:prod", "env:nowhere")) == (nowhere.status_code, nowhere.text)
    assert nowhere.status_code == 422


def test_the_published_schema_is_one_that_answers_fit(fleet: Asking) -> None:
    schema = fleet.get("/api/v1/schemas/explanation").json()
    Draft202012Validator.check_schema(schema)
    answer = fleet.as_role("viewer").get(PATH, **SIDES).json()
    assert list(Draft202012Validator(schema).iter_errors(answer)) == []
    assert list(Draft202012Validator(schema).iter_errors({**answer, "causes": [{}]}))
