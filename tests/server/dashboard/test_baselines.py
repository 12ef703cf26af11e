"""Tests of the pages of baselines: propose, approve, withdraw, remove, and what leads on to a comparison."""

from datetime import UTC, datetime

import pytest

from envparity_agent.fingerprint import Fingerprint
from envparity_server.storage import audit
from envparity_server.storage.actors import Role
from envparity_server.storage.database import reading, writing
from tests.server.asking import Asking
from tests.server.dashboard.reading import seen
from tests.server.dashboard.test_hostile import HOSTILE
from tests.server.fleet import reported
from tests.server.making import ENGINE, OPERATING_SYSTEM, SEARCHED, host, packages

FIELDS = {"name": "shop", "source": "env:prod", "applies_to": "", "reason": "release 4.2"}


def running(idna: str) -> Fingerprint:
    """A host with one distribution."""
    return host(OPERATING_SYSTEM, SEARCHED, ENGINE, packages({"idna": idna}))


@pytest.fixture
def fleet(pages: Asking) -> Asking:
    """A host of each of two environments."""
    with writing(pages.engine) as connection:
        reported(connection, "web-1", running("3.4"), datetime.now(UTC), "prod")
        reported(connection, "secret-1", running("3.7"), datetime.now(UTC), "vault")
    return pages


def post(asking: Asking, path: str, **fields: str) -> int:
    """Send a form; the status of the answer."""
    return asking.ask("POST", path, data=fields).status_code


def actions(fleet: Asking) -> list[str]:
    """What the audit log tells, the oldest first."""
    with reading(fleet.engine) as connection:
        return [one.action for one in reversed(audit.entries(connection))]


def test_without_a_baseline_it_is_said_what_one_is_for(pages: Asking) -> None:
    text = seen(pages.get("/baselines")).text
    assert "There is no baseline yet" in text
    assert "Propose a version" in text


def test_a_baseline_is_proposed_approved_withdrawn_and_removed(fleet: Asking) -> None:
    answer = fleet.ask("POST", "/baselines", data=FIELDS)
    assert answer.headers["location"] == "/baselines/shop"
    text = seen(fleet.get("/baselines/shop")).text
    assert "for env:prod · no version is approved: its hosts are held against their peers" in text
    assert "1 … proposed env:prod@" in text
    assert "none approved" in seen(fleet.get("/baselines")).text

    assert post(fleet, "/baselines/shop/approve", version="1") == 303
    text = seen(fleet.get("/baselines/shop")).text
    assert "version 1 is the reference" in text
    assert "Approve version" not in text
    assert "approved by person:admin" in seen(fleet.get("/baselines")).text

    assert post(fleet, "/baselines/shop/withdraw", version="1", reason="an outage") == 303
    assert "withdrawn by person:admin" in seen(fleet.get("/baselines/shop")).text

    assert "has 1 version." in seen(fleet.get("/baselines/shop/remove")).text
    assert post(fleet, "/baselines/shop/remove", version="1") == 303
    assert fleet.get("/baselines/shop").status_code == 404
    assert actions(fleet) == ["baseline.pin", "baseline.approve", "baseline.withdraw", "baseline.remove"]


def test_each_host_is_pinned_to_what_it_runs_today(fleet: Asking) -> None:
    assert post(fleet, "/baselines/today", name="today", of="env:prod", reason="the start") == 303
    text = seen(fleet.get("/baselines/today")).text
    assert "version 1 is the reference" in text
    assert "each host as it was" in text


def test_its_hosts_are_compared_with_it_and_a_version_with_the_one_before(fleet: Asking) -> None:
    fleet.ask("POST", "/baselines", data=FIELDS)
    fleet.ask("POST", "/baselines", data={**FIELDS, "source": "env:vault", "applies_to": "env:prod"})
    with_before = "/compare?left=baseline%3Ashop%2F1&right=baseline%3Ashop%2F2"
    page = seen(fleet.get("/baselines/shop"))
    assert with_before in page.links
    assert "idna 3.4 → 3.7" in seen(fleet.get(with_before)).text
    assert {"baseline:shop/1", "baseline:shop/2"} <= set(page.values("option", "value"))
    post(fleet, "/baselines/shop/approve", version="2")
    with_hosts = "/compare?left=baseline%3Ashop&right=env%3Aprod"
    assert with_hosts in seen(fleet.get("/baselines")).links
    assert "idna 3.7 → 3.4" in seen(fleet.get(with_hosts)).text
    assert "baseline:shop" in seen(fleet.get("/compare")).values("option", "value")


@pytest.mark.parametrize(
    ("changed", "status", "said"),
    [
        ({"name": "no name"}, 422, "'no name' is no name of a baseline"),
        ({"reason": ""}, 422, "the form has no reason"),
        ({"source": "env:nowhere"}, 422, "env:nowhere: never seen"),
        ({"applies_to": "host:nobody"}, 422, "no host nobody"),
    ],
)
def test_a_wrong_proposal_is_told_in_the_form_which_keeps_what_was_typed(
    fleet: Asking, changed: dict[str, str], status: int, said: str
) -> None:
    answer = fleet.ask("POST", "/baselines", data={**FIELDS, **changed})
    page = seen(answer)
    assert answer.status_code == status
    assert said in page.text
    assert changed.get("source", FIELDS["source"]) in page.values("input", "value")
    assert actions(fleet) == []


def test_a_wrong_selector_of_today_is_told_in_the_form(fleet: Asking) -> None:
    answer = fleet.ask("POST", "/baselines/today", data={"name": "today", "of": "env:nowhere", "reason": "x"})
    assert answer.status_code == 422
    assert "env:nowhere" in seen(answer).values("input", "value")


def test_a_version_that_was_decided_about_meanwhile_is_told(fleet: Asking) -> None:
    fleet.ask("POST", "/baselines", data=FIELDS)
    assert post(fleet, "/baselines/shop/approve", version="1") == 303
    answer = fleet.ask("POST", "/baselines/shop/approve", data={"version": "1"})
    assert answer.status_code == 409
    assert "has moved on" in seen(answer).text
    assert post(fleet, "/baselines/shop/approve", version="") == 422
    assert post(fleet, "/baselines/shop/withdraw", version="1", reason="") == 422


def test_a_viewer_reads_and_decides_nothing(fleet: Asking) -> None:
    fleet.ask("POST", "/baselines", data=FIELDS)
    viewer = fleet.as_person("vera", Role.VIEWER)
    page = seen(viewer.get("/baselines/shop"))
    assert "proposed" in page.text
    assert not [one for one in page.values("form", "action") if one.startswith("/baselines")]
    assert "/baselines/shop/remove" not in page.links
    assert "Propose a version" not in seen(viewer.get("/baselines")).text
    for path in ("/baselines", "/baselines/today", *(f"/baselines/shop/{verb}" for verb in ("approve", "remove"))):
        assert post(viewer, path, **FIELDS, version="1", of="env:prod") == 403
    assert viewer.get("/baselines/shop/remove").status_code == 403


def test_a_baseline_of_another_environment_is_not_there(fleet: Asking) -> None:
    fleet.ask("POST", "/baselines", data={**FIELDS, "name": "secret", "source": "env:vault"})
    ada = fleet.as_person("ada", Role.OPERATOR, frozenset({"prod"}))
    page = ada.get("/baselines").text
    assert "There is no baseline yet" in seen(ada.get("/baselines")).text
    assert "vault" not in page
    assert "secret" not in page
    assert ada.get("/baselines/secret").status_code == 404
    assert post(ada, "/baselines/secret/approve", version="1") == 404
    assert post(ada, "/baselines", **{**FIELDS, "source": "env:vault"}) == 422
    assert "secret" not in ada.get("/compare").text


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_inert(fleet: Asking, text: str) -> None:
    fleet.ask("POST", "/baselines", data={**FIELDS, "reason": text})
    for answer in (
        fleet.get("/baselines"),
        fleet.get("/baselines/shop"),
        fleet.ask("POST", "/baselines", data=dict.fromkeys(FIELDS, text)),
        fleet.ask("POST", "/baselines/today", data=dict.fromkeys(("name", "of", "reason"), text)),
    ):
        assert answer.status_code < 500
        assert seen(answer).dangers() == []
    assert " ".join(text.split()) in seen(fleet.get("/baselines/shop")).text
