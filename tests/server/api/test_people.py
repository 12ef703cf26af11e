"""Tests of people, their sessions and the audit log by the API."""

from datetime import UTC, datetime
from typing import Any

import pytest

from envparity_server.storage import access, audit, people
from envparity_server.storage.actors import Actor, Role
from envparity_server.storage.database import reading, writing
from tests.server.asking import Asking

PASSWORD = "correct horse battery staple"  # noqa: S105  # nobody's
DEV = frozenset({"dev"})


def added(asking: Asking, **changed: Any) -> Any:
    """The answer to adding somebody."""
    return asking.ask("POST", "/api/v1/people", json={"name": "ada", "role": "operator", **changed})


def test_somebody_is_added_shown_and_listed(api: Asking) -> None:
    admin = api.as_role("admin")
    answer = added(admin, environments=["dev", "test"], password=PASSWORD)
    assert answer.status_code == 200, answer.text
    one = answer.json()
    assert (one["name"], one["role"], one["environments"], one["has_password"]) == (
        "ada", "operator", ["dev", "test"], True,
    )  # fmt: skip
    assert admin.get("/api/v1/people/ada").json() == one
    assert admin.get("/api/v1/people").json() == {"people": [one], "total": 1}
    assert added(admin).status_code == 409
    with reading(api.engine) as connection:
        [entry] = audit.entries(connection)
        assert people.verified(PASSWORD, people.password_hash(connection, "ada"))
    assert (entry.actor, entry.action, entry.object) == ("token:tests", "person.add", "ada")
    assert PASSWORD not in f"{one} {entry}"


@pytest.mark.parametrize(
    "changed",
    [
        {"name": ""}, {"name": "a b"}, {"name": "a\n"}, {"role": "ci"}, {"role": "root"}, {"environments": "dev"},
        {"environments": ["a b"]}, {"password": "short"}, {"password": "x" * 1025}, {"more": 1},
    ],
    ids=lambda value: str(value)[:30],
)  # fmt: skip
def test_a_wrong_person_is_refused(small_api: Asking, changed: dict[str, Any]) -> None:
    admin = small_api.as_role("admin")
    answer = added(admin, **changed)
    assert answer.status_code == 422
    assert "x" * 100 not in answer.text
    assert admin.get("/api/v1/people").json()["total"] == 0


def test_a_change_ends_the_sessions_at_once(api: Asking) -> None:
    admin, ada = api.as_role("admin"), api.as_person("ada", Role.OPERATOR)
    assert ada.get("/api/v1/hosts").status_code == 200
    answer = admin.ask("PATCH", "/api/v1/people/ada", json={"role": "viewer"})
    assert (answer.status_code, answer.json()["role"], answer.json()["environments"]) == (200, "viewer", None)
    assert ada.get("/api/v1/hosts").status_code == 401
    assert ada.get("/hosts").status_code == 303


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"environments": ["dev"]}, {"environments": ["dev"], "role": "operator"}),
        ({"environments": None}, {"environments": None, "role": "operator"}),
        ({"role": "admin"}, {"role": "admin", "environments": ["test"]}),
        ({"role": None, "disabled": None}, {"role": "operator", "environments": ["test"], "disabled_at": None}),
    ],
)
def test_what_is_left_out_of_a_change_stays(api: Asking, body: dict[str, Any], told: dict[str, Any]) -> None:
    admin = api.as_role("admin")
    added(admin, environments=["test"])
    answer = admin.ask("PATCH", "/api/v1/people/ada", json=body).json()
    assert {key: answer[key] for key in told} == told


def test_somebody_is_disabled_and_enabled(api: Asking) -> None:
    admin, ada = api.as_role("admin"), api.as_person("ada", Role.ADMIN)
    assert admin.ask("PATCH", "/api/v1/people/ada", json={"disabled": True}).json()["disabled_at"]
    assert ada.get("/api/v1/people").status_code == 401
    assert admin.ask("PATCH", "/api/v1/people/ada", json={"disabled": False}).json()["disabled_at"] is None
    assert ada.get("/api/v1/people").status_code == 401


def test_a_password_is_set(api: Asking) -> None:
    admin = api.as_role("admin")
    added(admin)
    answer = admin.ask("PUT", "/api/v1/people/ada/password", json={"password": PASSWORD})
    assert (answer.status_code, answer.json()["has_password"]) == (200, True)
    assert admin.ask("PUT", "/api/v1/people/bob/password", json={"password": PASSWORD}).status_code == 404
    assert admin.ask("PUT", "/api/v1/people/ada/password", json={"password": "short"}).status_code == 422


def test_nobody_grants_more_than_he_has(api: Asking) -> None:
    scoped = api.as_role("admin", DEV)
    assert added(scoped).status_code == 403
    assert added(scoped, environments=["dev", "prod"]).status_code == 403
    assert added(scoped, environments=["dev"]).status_code == 200
    for wider in (None, ["prod"], ["dev", "prod"]):
        assert scoped.ask("PATCH", "/api/v1/people/ada", json={"environments": wider}).status_code == 403
    assert scoped.ask("PATCH", "/api/v1/people/ada", json={"role": "admin"}).status_code == 200
    assert added(api.as_role("admin"), name="bob").status_code == 200
    assert [one["name"] for one in scoped.get("/api/v1/people").json()["people"]] == ["ada"]


def test_a_name_that_is_there_and_not_seen_is_taken_all_the_same(api: Asking) -> None:
    added(api.as_role("admin"))
    assert added(api.as_role("admin", DEV), environments=["dev"]).status_code == 409


def test_sessions_are_listed_and_ended(api: Asking) -> None:
    admin, ada = api.as_role("admin"), api.as_person("ada", Role.VIEWER, DEV)
    [one] = admin.get("/api/v1/sessions").json()["sessions"]
    assert one["person"] == "ada"
    assert ada.headers["Cookie"].partition("=")[2] not in str(one)
    address = f"/api/v1/sessions/{one['id']}"
    assert admin.ask("DELETE", address).json() == one
    assert admin.ask("DELETE", address).status_code == 404
    assert ada.get("/api/v1/hosts").status_code == 401


def test_the_audit_log_is_read_newest_first_and_part_by_part(api: Asking) -> None:
    with writing(api.engine) as connection:
        for number in range(5):
            environment = "dev" if number % 2 else "prod"
            audit.write(connection, f"host:{number}", "host.enrol", str(number), datetime.now(UTC), environment)
    admin = api.as_role("admin")
    first = admin.get("/api/v1/audit", limit="2").json()
    assert ([one["object"] for one in first["audit"]], first["total"]) == (["4", "3"], 5)
    rest = admin.get("/api/v1/audit", before=str(first["audit"][-1]["id"])).json()
    assert [one["object"] for one in rest["audit"]] == ["2", "1", "0"]
    scoped = api.as_role("admin", DEV).get("/api/v1/audit").json()
    assert ([one["object"] for one in scoped["audit"]], scoped["total"]) == (["3", "1"], 2)
    for wrong in ({"before": "0"}, {"limit": "0"}, {"before": str(2**63)}):
        assert admin.get("/api/v1/audit", **wrong).status_code == 422


def test_what_was_decided_can_only_be_added_to(api: Asking) -> None:
    admin = api.as_role("admin")
    for method in ("PUT", "POST", "PATCH", "DELETE"):
        assert admin.ask(method, "/api/v1/audit", json={}).status_code == 405


def test_a_session_of_somebody_who_was_disabled_meanwhile_is_none(api: Asking) -> None:
    ada = api.as_person("ada", Role.VIEWER)
    with writing(api.engine) as connection:
        now = datetime.now(UTC)
        before = people.by_name(connection, "ada")
        assert before is not None
        people.change(connection, Actor("local:x", Role.ADMIN), before, before.role, None, True, now)
        access.begin_session(connection, "ada", now)
    assert ada.get("/api/v1/hosts").status_code == 401
