"""Tests of markers of deploys over the API."""

from datetime import UTC, datetime
from typing import Any

import pytest

from envparity_server.storage import access, audit, hosts
from envparity_server.storage.database import reading, writing
from tests.server.asking import LIFE, Asking
from tests.server.fleet import enrolled

WEB = "env:prod,role=web"


@pytest.fixture
def pipeline(api: Asking) -> Asking:
    """A pipeline, and a host in each of two environments."""
    with writing(api.engine) as connection:
        enrolled(connection, "web-1", "prod", {"role": "web"})
        enrolled(connection, "test-1", "test")
    return api.as_role("ci")


def begun(asking: Asking, hosts: str = WEB, **more: str) -> Any:
    """The answer to a beginning."""
    return asking.ask("POST", "/api/v1/deploys", json={"hosts": hosts, **more})


def test_a_pipeline_begins_and_ends_a_deploy(pipeline: Asking) -> None:
    made = begun(pipeline, name="shop 1.5", link="https://ci.test/512")
    assert made.status_code == 201, made.text
    id = made.json()["id"]
    assert (made.json()["environment"], made.json()["ended_at"], made.json()["begun_by"]) == (
        "prod", None, "token:tests"
    )  # fmt: skip
    ended = pipeline.ask("POST", f"/api/v1/deploys/{id}/end").json()
    assert ended["ended_at"] >= ended["begun_at"]
    assert pipeline.ask("POST", f"/api/v1/deploys/{id}/end").json() == ended
    assert pipeline.as_role("viewer").get("/api/v1/deploys").json() == {"deploys": [ended], "total": 1}
    with reading(pipeline.engine) as connection:
        told = [(one.action, one.object, one.environment) for one in audit.entries(connection)]
    assert [one for one in told if one[0].startswith("deploy")] == [
        ("deploy.end", id, "prod"), ("deploy.begin", id, "prod")
    ]  # fmt: skip


def test_the_same_beginning_again_is_the_same_deploy(pipeline: Asking) -> None:
    assert begun(pipeline, name="shop 1.5").json() == begun(pipeline, name="shop 1.5").json()
    assert begun(pipeline, name="shop 1.6").json()["id"] != begun(pipeline, name="shop 1.5").json()["id"]


def test_deploys_are_ended_by_their_hosts(pipeline: Asking) -> None:
    first, other = (begun(pipeline, hosts).json()["id"] for hosts in (WEB, "host:test-1"))
    ended = pipeline.ask("POST", "/api/v1/deploys/end", json={"hosts": WEB}).json()
    assert [one["id"] for one in ended["deploys"]] == [first]
    assert pipeline.ask("POST", "/api/v1/deploys/end", json={"hosts": WEB}).status_code == 404
    assert pipeline.ask("POST", f"/api/v1/deploys/{other}/end").status_code == 200


@pytest.mark.parametrize(
    "hosts",
    ["prod", "env:prdo", "env:*", "role=web", "host:web-9", "baseline:shop", "env:prod@yesterday", "env:prod#os", ""],
)
def test_what_does_not_name_hosts_of_one_environment_is_refused(pipeline: Asking, hosts: str) -> None:
    answer = begun(pipeline, hosts)
    assert answer.status_code == 422, answer.text


def test_a_link_is_one_that_can_be_followed(pipeline: Asking) -> None:
    assert begun(pipeline, link="javascript:alert(1)").status_code == 422


def test_what_is_of_another_environment_is_not_there(pipeline: Asking) -> None:
    id = begun(pipeline).json()["id"]
    with writing(pipeline.engine) as connection:
        token = access.make_access_token(
            connection, "ci", "scoped", LIFE, datetime.now(UTC), environments=frozenset({"test"})
        )
    other = pipeline.bearing(token)
    assert begun(other, WEB).status_code == begun(other, "env:nowhere").status_code == 422
    assert begun(other, "env:test").status_code == 201
    assert other.ask("POST", f"/api/v1/deploys/{id}/end").status_code == 404
    assert other.ask("POST", "/api/v1/deploys/end", json={"hosts": WEB}).status_code == 404


def test_a_deploy_of_the_same_words_elsewhere_is_another_one(pipeline: Asking) -> None:
    with writing(pipeline.engine) as connection:
        hosts.change(connection, enrolled(connection, "test-2", "test").id, name="web-1")
    of_prod, of_test = (pipeline.as_role("ci", frozenset({name})) for name in ("prod", "test"))
    first, second = begun(of_prod, "host:web-1").json(), begun(of_test, "host:web-1").json()
    assert (first["environment"], second["environment"]) == ("prod", "test")
    assert begun(of_test, "host:web-1").json() == second
