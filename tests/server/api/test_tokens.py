"""Tests of tokens by the API: told once, listed without what they are, revoked; and one answer to every wrong one."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event

from envparity_server.storage import access, audit, tokens
from envparity_server.storage.actors import Actor, Role
from envparity_server.storage.database import reading, writing
from tests.server.asking import HOST_ID, LIFE, Asking

DEV = frozenset({"dev"})
TOKENS, ENROLMENT_TOKENS = "/api/v1/tokens", "/api/v1/enrolment-tokens"  # addresses


def test_an_access_token_is_told_once_works_and_is_revoked(api: Asking) -> None:
    admin = api.as_role("admin")
    made = admin.ask(
        "POST", TOKENS, json={"role": "viewer", "name": "grafana", "environments": ["dev"], "days": 3}
    ).json()
    holder = api.bearing(made["token"])
    assert holder.get("/api/v1/hosts").status_code == 200
    [one] = [one for one in admin.get(TOKENS).json()["tokens"] if one["name"] == "grafana"]
    assert (one["id"], one["role"], one["environments"], one["state"]) == (made["id"], "viewer", ["dev"], "valid")
    assert one["created_by"] == "token:tests"
    assert one["last_used_at"]
    assert made["token"] not in str(one)
    revoked = admin.ask("DELETE", f"{TOKENS}/{made['id']}")
    assert (revoked.status_code, revoked.json()["state"]) == (200, "revoked")
    assert holder.get("/api/v1/hosts").status_code == 401
    with reading(api.engine) as connection:
        assert [entry.action for entry in audit.entries(connection)] == ["token.revoke", "token.add"]


def test_an_enrolment_token_is_told_once_enrols_and_is_revoked(api: Asking) -> None:
    admin = api.as_role("admin")
    made = admin.ask("POST", ENROLMENT_TOKENS, json={"environment": "ci", "uses": 2, "host_hours": 24}).json()
    assert api.enrol(made["token"], environment=None).json()["environment"] == "ci"
    host = admin.get(f"/api/v1/hosts/{HOST_ID}").json()
    assert (host["ephemeral"], bool(host["expires_at"])) == (True, True)
    [one] = [one for one in admin.get(ENROLMENT_TOKENS).json()["enrolment_tokens"] if one["id"] == made["id"]]
    assert (one["uses_left"], one["host_hours"], one["state"]) == (1, 24, "valid")
    assert made["token"] not in str(one)
    assert admin.ask("DELETE", f"{ENROLMENT_TOKENS}/{made['id']}").json()["state"] == "revoked"
    assert api.enrol(made["token"], "f" * 16, credential="y" * 40, environment=None).status_code == 401
    with reading(api.engine) as connection:
        actors = [(entry.actor, entry.action) for entry in audit.entries(connection)]
    assert (f"enrolment:{made['id']}", "host.enrol") in actors


@pytest.mark.parametrize(
    "body",
    [
        {"role": "root", "name": "x"}, {"role": "ci"}, {"role": "ci", "name": ""}, {"role": "ci", "name": "x\0"},
        {"role": "ci", "name": "x", "days": 0}, {"role": "ci", "name": "x", "days": 3651},
        {"role": "ci", "name": "x", "environments": ["a b"]}, {"role": "ci", "name": "x", "token": "mine"},
    ],
)  # fmt: skip
def test_a_wrong_access_token_is_refused(small_api: Asking, body: dict[str, Any]) -> None:
    assert small_api.as_role("admin").ask("POST", TOKENS, json=body).status_code == 422


@pytest.mark.parametrize(
    "body", [{"environment": "a b"}, {"uses": 0}, {"uses": 10**9}, {"days": 0}, {"host_hours": 0}, {"more": 1}]
)
def test_a_wrong_enrolment_token_is_refused(small_api: Asking, body: dict[str, Any]) -> None:
    assert small_api.as_role("admin").ask("POST", ENROLMENT_TOKENS, json=body).status_code == 422


def test_nobody_hands_out_a_token_that_reaches_further_than_he_does(api: Asking) -> None:
    scoped = api.as_role("admin", DEV)
    for environments in (None, ["prod"], ["dev", "prod"]):
        body = {"role": "ci", "name": "x", "environments": environments}
        assert scoped.ask("POST", TOKENS, json=body).status_code == 403
    for environment in (None, "prod"):
        assert scoped.ask("POST", ENROLMENT_TOKENS, json={"environment": environment}).status_code == 403
    assert scoped.ask("POST", TOKENS, json={"role": "admin", "name": "x", "environments": ["dev"]}).status_code == 200
    assert scoped.ask("POST", ENROLMENT_TOKENS, json={"environment": "dev"}).status_code == 200
    assert {tuple(one["environments"]) for one in scoped.get(TOKENS).json()["tokens"]} == {("dev",)}
    assert {one["environment"] for one in scoped.get(ENROLMENT_TOKENS).json()["enrolment_tokens"]} == {"dev"}


def test_every_wrong_token_has_one_answer(api: Asking) -> None:
    long_ago = datetime.now(UTC) - timedelta(days=9)
    local = Actor("local:tests", Role.ADMIN)
    with writing(api.engine) as connection:
        expired = access.make_access_token(connection, "viewer", "x", LIFE, long_ago)
        revoked, one = tokens.add_access_token(connection, local, Role.VIEWER, "x", None, LIFE, datetime.now(UTC))
        tokens.revoke_access_token(connection, local, one.id, datetime.now(UTC))
    wrong = ("", "Bearer", "Bearer x", f"Bearer {expired}", f"Bearer {revoked}", "Basic eDp5", f"Bearer {'x' * 9999}")
    answers = [api.ask("GET", "/api/v1/hosts", headers={"Authorization": header}) for header in wrong]
    answers.append(api.get("/api/v1/hosts"))
    assert {(answer.status_code, answer.text) for answer in answers} == {(401, answers[0].text)}


def test_a_database_that_takes_no_note_lets_readers_read(small_api: Asking) -> None:
    viewer = small_api.as_role("viewer")
    small_api.engine.dispose()
    event.listen(small_api.engine, "connect", lambda connection, _: connection.execute("PRAGMA query_only=ON"))
    assert viewer.get("/api/v1/hosts").status_code == 200
