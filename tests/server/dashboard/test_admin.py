"""Tests of the pages of Admin: each shows what is there, decides as the API does, and is for administrators only."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from envparity_server.dashboard.admin_health_page import PURPOSES
from envparity_server.jobs import JOBS
from envparity_server.storage import audit, channels, jobs, people
from envparity_server.storage.actors import Actor, Role
from envparity_server.storage.channels import Channel
from envparity_server.storage.database import reading, writing
from tests.server.asking import LIFE, Asking
from tests.server.dashboard.reading import seen
from tests.server.dashboard.test_hostile import HOSTILE

PAGES = ("/admin", "/admin/people", "/admin/tokens", "/admin/sessions", "/admin/channels", "/admin/audit")
LOCAL = Actor("local:tests", Role.ADMIN)
PASSWORD = "correct horse battery staple"  # noqa: S105  # nobody's


@pytest.mark.parametrize("path", PAGES)
def test_it_is_for_administrators(pages: Asking, path: str) -> None:
    assert pages.get(path).status_code == 200
    assert pages.as_person("olaf", Role.OPERATOR).get(path).status_code == 403
    assert Asking(pages.app, pages.engine).get(path).status_code == 303
    assert path not in seen(pages.as_person("vera", Role.VIEWER).get("/account")).links


def test_an_operator_decides_nothing_here(pages: Asking) -> None:
    operator = pages.as_person("olaf", Role.OPERATOR)
    for path in ("/admin/people", "/admin/people/admin", "/admin/people/admin/password", "/admin/tokens",
                 f"/admin/tokens/{'0' * 16}/revoke", f"/admin/enrolment-tokens/{'0' * 16}/revoke",
                 f"/admin/sessions/{'0' * 16}/revoke", "/admin/channels/ops/test"):  # fmt: skip
        assert operator.ask("POST", path, data={}).status_code == 403, path


def test_the_health_says_what_runs_and_how_much_there_is(pages: Asking) -> None:
    now = datetime.now(UTC)
    with writing(pages.engine) as connection:
        slot = jobs.claim(connection, "deliver", timedelta(minutes=1), "here", LIFE, now)
        assert slot
        jobs.finish(connection, "deliver", slot, "here", "the receiver <b>burns</b>", now)
    text = seen(pages.get("/admin")).text
    for word in (
        "ready",
        "SQLite, schema",
        "for 365 days",
        "deliver sends notifications",
        "the receiver <b>burns</b>",
        "hosts, also retired",
    ):
        assert word in text


def test_of_every_job_the_health_says_what_it_does() -> None:
    assert PURPOSES.keys() == {one.name for one in JOBS}


def test_people_are_added_changed_and_given_passwords(pages: Asking) -> None:
    new = {"name": "ada", "role": "operator", "environments": "dev, test", "password": ""}
    assert pages.ask("POST", "/admin/people", data=new).headers["location"] == "/admin/people"
    assert pages.ask("POST", "/admin/people", data=new).status_code == 409
    with reading(pages.engine) as connection:
        added = people.by_name(connection, "ada")
    assert added
    assert (added.role, added.environments) == (Role.OPERATOR, frozenset({"dev", "test"}))
    assert "dev, test" in seen(pages.get("/admin/people")).values("input", "value")
    change = {"role": "viewer", "environments": "", "disabled": "1"}
    assert pages.ask("POST", "/admin/people/ada", data=change).status_code == 303
    assert pages.ask("POST", "/admin/people/ada/password", data={"password": PASSWORD}).status_code == 303
    with reading(pages.engine) as connection:
        after = people.by_name(connection, "ada")
        told = [one.action for one in audit.entries(connection)]
    assert after
    assert (after.role, after.environments, after.has_password) == (Role.VIEWER, None, True)
    assert after.disabled_at
    assert told == ["person.password", "person.change", "person.add"]


@pytest.mark.parametrize("wrong", [{"name": "a b"}, {"role": "ci"}, {"environments": "a b"}, {"password": "short"}])
def test_nobody_is_added_by_a_wrong_form(pages: Asking, wrong: dict[str, str]) -> None:
    new = {"name": "ada", "role": "viewer", "environments": "", "password": "", **wrong}
    answer = pages.ask("POST", "/admin/people", data=new)
    assert (answer.status_code, seen(answer).dangers()) == (422, [])
    assert "a b" not in pages.get("/admin/people").text


def test_a_token_is_shown_once_and_revoked(pages: Asking) -> None:
    made = pages.ask("POST", "/admin/tokens", data={"name": "github", "role": "ci", "environments": "", "days": "30"})
    token = re.findall(r"ept_[\w-]+", made.text)[0]
    page = pages.get("/admin/tokens")
    assert ("github" in page.text, token in page.text) == (True, False)
    (revoke,) = [one for one in seen(page).values("form", "action") if one.endswith("/revoke")]
    assert pages.ask("POST", revoke).status_code == 303
    assert "revoked" in seen(pages.get("/admin/tokens")).text
    assert pages.ask("POST", f"/admin/tokens/{'0' * 16}/revoke").status_code == 404


def test_an_enrolment_token_is_revoked(pages: Asking) -> None:
    pages.enrolment_token("prod")
    (revoke,) = [one for one in seen(pages.get("/admin/tokens")).values("form", "action") if "/enrolment-" in one]
    assert pages.ask("POST", revoke).status_code == 303
    assert "revoked" in seen(pages.get("/admin/tokens")).text


def test_a_session_is_ended(pages: Asking) -> None:
    olaf = pages.as_person("olaf", Role.OPERATOR)
    ends = seen(pages.get("/admin/sessions")).values("form", "action")
    (end,) = [one for one in ends if one.endswith("/revoke") and one not in _sessions_of_admin(pages)]
    assert pages.ask("POST", end).status_code == 303
    assert olaf.get("/account").status_code == 303


def _sessions_of_admin(pages: Asking) -> set[str]:
    ids = re.findall(r"/admin/sessions/(\w{16})/revoke\"><button[^>]* of admin\"", pages.get("/admin/sessions").text)
    return {f"/admin/sessions/{one}/revoke" for one in ids}


def test_a_channel_is_tested_and_its_address_is_not_told(pages: Asking) -> None:
    assert "No channel yet" in seen(pages.get("/admin/channels")).text
    address = "https://hooks.invalid/secret-part"
    with writing(pages.engine) as connection:
        channels.add(connection, Channel("ops", "webhook", address, "", "", 2, True, "local:x", datetime.now(UTC)))
    answer = pages.ask("POST", "/admin/channels/ops/test")
    assert "Not delivered" in seen(answer).text
    assert "secret-part" not in answer.text
    assert pages.ask("POST", "/admin/channels/nope/test").status_code == 404


def test_the_audit_log_is_filtered_and_paged(pages: Asking) -> None:
    assert "Nothing was decided yet" in seen(pages.get("/admin/audit")).text
    now = datetime.now(UTC)
    with writing(pages.engine) as connection:
        for number in range(250):
            audit.write(connection, LOCAL, "rule.add", f"rule-{number:03}", now, reason=HOSTILE)
        audit.write(connection, LOCAL, "host.retire", "web_1", now, "prod")
    first = seen(pages.get("/admin/audit"))
    assert ("251 entries" in first.text, "rule-249" in first.text, first.dangers()) == (True, True, [])
    (older,) = {one for one in first.links if "before=" in one}
    second = seen(pages.get(older))
    assert ("rule-249" in second.text, "rule-100" in second.text) == (False, True)
    assert seen(pages.get("/admin/audit", q="WEB_1")).text.count("host.retire") == 1
    assert "Nothing matches" in seen(pages.get("/admin/audit", q="web%")).text


def test_the_audit_log_tells_a_time_as_one(pages: Asking) -> None:
    until = datetime(2026, 12, 31, 11, 38, 38, 618877, tzinfo=UTC)
    with writing(pages.engine) as connection:
        audit.write(
            connection, LOCAL, "rule.add", "rule-1", until,
            expires=until.isoformat(), reason="Test of TUESDAY", hosts=["a", "b"], owner="",
        )  # fmt: skip
    text = seen(pages.get("/admin/audit")).text
    assert "expires 2026-12-31 11:38 UTC reason Test of TUESDAY hosts a, b" in text
    assert "owner" not in text


def test_a_scoped_administrator_sees_his_own(pages: Asking) -> None:
    scoped = pages.as_person("ada", Role.ADMIN, frozenset({"dev"}))
    pages.as_person("secret-1", Role.VIEWER, frozenset({"vault"}))
    pages.enrolment_token("vault")
    with writing(pages.engine) as connection:
        audit.write(connection, LOCAL, "host.retire", "secret-1", datetime.now(UTC), "vault")
        address = "https://hooks.invalid/x"
        channels.add(
            connection, Channel("vaults", "webhook", address, "", "env:vault", 2, True, "x", datetime.now(UTC))
        )
    for path in PAGES:
        text = scoped.get(path).text
        assert ("secret-1" in text, "vault" in text) == (False, False), path
    assert "The server's health tells of every environment" in seen(scoped.get("/admin")).text
