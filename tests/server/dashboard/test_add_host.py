"""Tests of adding a host: the token is shown once, and the host appears with its first report."""

import re
from datetime import UTC, datetime

import pytest

from envparity_server.storage.actors import Role
from tests.server.asking import HOST_ID, Asking
from tests.server.dashboard.reading import seen
from tests.server.making import OPERATING_SYSTEM, SEARCHED, host

FORM = {"environment": "prod", "uses": "2", "days": "7", "labels": "role=web, site=berlin", "host_hours": ""}


def test_the_commands_are_ready_and_the_token_is_shown_this_once(pages: Asking) -> None:
    assert "environment" in seen(pages.get("/hosts/add")).values("input", "name")
    answer = pages.ask("POST", "/hosts/add", data=FORM)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    text = seen(answer).text
    token = re.findall(r"epe_[\w-]+", text)[0]
    assert "agent enroll --server http://envparity.test --token-file" in text
    assert "--label role=web --label site=berlin" in text
    assert "It is for 2 hosts in prod" in text
    (later,) = {one for one in seen(answer).links if one.startswith("/hosts/add/")}
    assert token not in pages.get(later).text + pages.get("/admin/tokens").text + pages.get("/admin/audit").text


def test_a_host_appears_when_it_enrols_and_then_with_its_first_report(pages: Asking) -> None:
    answer = pages.ask("POST", "/hosts/add", data=FORM)
    token = re.findall(r"epe_[\w-]+", answer.text)[0]
    (later,) = {one for one in seen(answer).links if one.startswith("/hosts/add/")}
    assert "waiting for the first one" in seen(pages.get(later)).text
    assert pages.enrol(token, name="<b>web-1</b>").status_code == 200
    waiting = seen(pages.get(later))
    assert f"/hosts/{HOST_ID}" in waiting.links
    assert ("never reported" in waiting.text, "waiting for it" in waiting.text) == (True, True)
    agent = pages.bearing("epa_0123456789abcdef0123456789abcdef-")
    agent.deliver(host(OPERATING_SYSTEM, SEARCHED), taken_at=datetime.now(UTC).isoformat())
    there = seen(pages.get(later))
    assert ("fresh" in there.text, "waiting" in there.text, there.dangers()) == (True, False, [])


@pytest.mark.parametrize(
    "wrong", [{"environment": "a b"}, {"environment": '"><script>'}, {"uses": "0"}, {"uses": "many"}, {"days": "9999"},
              {"labels": "role"}, {"labels": "role=web;id"}, {"labels": "a=$(id)"}],
)  # fmt: skip
def test_what_is_wrong_makes_no_token(pages: Asking, wrong: dict[str, str]) -> None:
    answer = pages.ask("POST", "/hosts/add", data={**FORM, **wrong})
    assert (answer.status_code, "epe_" in answer.text) == (422, False)
    assert seen(answer).dangers() == []
    assert "None yet. Adding a host" in seen(pages.get("/admin/tokens")).text


def test_only_an_administrator_adds_hosts_and_only_where_he_sees_them(pages: Asking) -> None:
    operator = pages.as_person("olaf", Role.OPERATOR)
    assert [operator.get("/hosts/add").status_code, operator.ask("POST", "/hosts/add", data=FORM).status_code] == [
        403
    ] * 2
    scoped = pages.as_person("ada", Role.ADMIN, frozenset({"dev"}))
    assert scoped.ask("POST", "/hosts/add", data=FORM).status_code == 403
    assert scoped.ask("POST", "/hosts/add", data={**FORM, "environment": "dev"}).status_code == 200
    whole = pages.ask("POST", "/hosts/add", data=FORM)
    (hidden,) = {one for one in seen(whole).links if one.startswith("/hosts/add/")}
    assert scoped.get(hidden).status_code == 404
