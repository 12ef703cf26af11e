"""Tests of baselines over the API: proposed, approved, withdrawn, removed, and what they are a reference for."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import func, select

from envparity_agent.fingerprint import Fingerprint, Section, Target
from envparity_server.storage import access, audit, hosts
from envparity_server.storage.actors import Environments
from envparity_server.storage.database import reading, writing
from envparity_server.storage.tables import baseline_section, baseline_version
from tests.server.asking import LIFE, Asking, zipped
from tests.server.fleet import report, reported
from tests.server.making import ENGINE, NOON, OPERATING_SYSTEM, SEARCHED, host, packages


def running(version: str) -> Fingerprint:
    """A host with a version of idna."""
    return host(OPERATING_SYSTEM, SEARCHED, ENGINE, packages({"idna": version, "flask": "3.0"}))


LOCK = Fingerprint(
    Target("declared", "uv.lock"),
    NOON.isoformat(),
    {
        "declared/uv.lock": Section(
            "declared/uv.lock", "declared", 2, {"idna": {"version": "3.7"}, "flask": {"version": "3.0"}}
        )
    },
)


@pytest.fixture
def fleet(api: Asking) -> Asking:
    """Three hosts of prod of which one deviates, and one of dev."""
    now = datetime.now(UTC)
    with writing(api.engine) as connection:
        for name, version in (("web-1", "3.7"), ("web-2", "3.7"), ("web-3", "3.4")):
            reported(connection, name, running(version), now, "prod", {"role": "web"})
        reported(connection, "dev-1", running("3.4"), now, "dev")
    return api


@pytest.fixture
def operator(fleet: Asking) -> Asking:
    """Somebody who may decide."""
    return fleet.as_role("operator")


def scoped(asking: Asking, environments: Environments) -> Asking:
    """An operator of some environments."""
    with writing(asking.engine) as connection:
        token = access.make_access_token(
            connection, "operator", "scoped", LIFE, datetime.now(UTC), environments=environments
        )
    return asking.bearing(token)


def pin(asking: Asking, **changed: Any) -> Any:
    """Propose a version; the answer."""
    body = {"name": "shop", "source": "env:prod,role=web", "reason": "release 4.2", **changed}
    return asking.ask("POST", "/api/v1/baselines", json={name: value for name, value in body.items() if value})


def approve(asking: Asking, number: int, name: str = "shop") -> Any:
    """Approve a version; the answer."""
    return asking.ask("POST", f"/api/v1/baselines/{name}/approve", json={"version": number})


def differing(asking: Asking, left: str, right: str) -> list[tuple[str, Any, Any]]:
    """What two selectors differ in."""
    found = asking.get("/api/v1/compare", left=left, right=right)
    assert found.status_code == 200, found.text
    return [(one["item"], one["left"], one["right"]) for one in found.json()["differences"]]


def test_a_proposal_is_no_reference_before_it_is_approved(operator: Asking) -> None:
    made = pin(operator)
    assert (made.status_code, made.json()) == (200, {"name": "shop", "version": 1, "hosts": None})
    refused = operator.get("/api/v1/compare", left="host:web-3", right="baseline:shop")
    assert (refused.status_code, "no version of it is approved" in refused.json()["detail"]) == (424, True)
    assert differing(operator, "host:web-3", "baseline:shop/1") == [("idna", "3.4", "3.7")]
    found = approve(operator, 1).json()
    assert (found["approved"], found["applies_to"], found["environment"]) == (1, "env:prod,role=web", "prod")
    assert (found["versions"][0]["state"], found["versions"][0]["approved_by"]) == ("approved", "token:tests")
    assert differing(operator, "host:web-3", "baseline:shop") == [("idna", "3.4", "3.7")]


def test_versions_count_up_and_the_approved_one_stays_until_the_next_is_approved(operator: Asking) -> None:
    pin(operator)
    approve(operator, 1)
    assert pin(operator, source="host:web-3").json()["version"] == 2
    assert differing(operator, "host:web-3", "baseline:shop") == [("idna", "3.4", "3.7")]
    approve(operator, 2)
    assert differing(operator, "host:web-3", "baseline:shop") == []
    states = [one["state"] for one in operator.get("/api/v1/baselines/shop").json()["versions"]]
    assert states == ["approved", "replaced"]


def test_what_was_pinned_stays_when_hosts_move_on(operator: Asking) -> None:
    pin(operator, source="host:web-1", applies_to="env:prod")
    approve(operator, 1)
    with writing(operator.engine) as connection:
        (web,) = hosts.named(connection, "web-1")
        report(connection, web, running("9.9"), datetime.now(UTC))
    assert differing(operator, "host:web-1", "baseline:shop") == [("idna", "9.9", "3.7")]


def test_the_same_proposal_again_is_the_one_that_is_there(operator: Asking) -> None:
    assert [pin(operator).json()["version"] for _ in range(2)] == [1, 1]
    assert pin(operator, reason="another").json()["version"] == 2


def test_of_two_who_decide_the_second_is_told(operator: Asking) -> None:
    pin(operator)
    pin(operator, reason="another")
    assert approve(operator, 1).status_code == 409  # a newer one was proposed
    assert [approve(operator, 2).status_code for _ in range(2)] == [200, 409]
    gone = operator.ask("DELETE", "/api/v1/baselines/shop", params={"version": 1})
    assert gone.status_code == 409


def test_a_withdrawn_reference_is_none_and_the_moment_before_still_knows_it(operator: Asking) -> None:
    pin(operator)
    approve(operator, 1)
    between = datetime.now(UTC).isoformat()
    answer = operator.ask(
        "POST", "/api/v1/baselines/shop/withdraw", json={"version": 1, "reason": "taken during an outage"}
    )
    assert (answer.json()["approved"], answer.json()["versions"][0]["state"]) == (None, "withdrawn")
    assert operator.get("/api/v1/fingerprints", of="baseline:shop").status_code == 424
    assert operator.get("/api/v1/fingerprints", of=f"baseline:shop@{between}").status_code == 200
    assert operator.get("/api/v1/fingerprints", of="baseline:shop@2020-01-01").status_code == 424
    assert approve(operator, 1).status_code == 409
    again = operator.ask("POST", "/api/v1/baselines/shop/withdraw", json={"version": 1, "reason": "x"})
    assert again.status_code == 409


def test_a_lock_file_is_pinned_from_its_document(operator: Asking) -> None:
    body = {
        "name": "lock",
        "source": "uv.lock",
        "fingerprint": LOCK.document(),
        "reason": "r",
        "applies_to": "env:prod",
    }
    assert operator.ask("POST", "/api/v1/baselines", **zipped(body)).status_code == 200
    approve(operator, 1, "lock")
    found = operator.get("/api/v1/compare", left="baseline:lock", right="host:web-3", only="declared,python").json()
    assert [(one["item"], one["left"], one["right"]) for one in found["differences"]] == [("idna", "3.7", "3.4")]
    assert found["left"] == {"kind": "declared", "name": "baseline:lock"}


def test_today_pins_each_host_to_what_it_runs(operator: Asking) -> None:
    made = operator.ask("POST", "/api/v1/baselines/today/today", json={"of": "env:prod", "reason": "the start"})
    assert (made.status_code, made.json()) == (200, {"name": "today", "version": 1, "hosts": 3})
    assert differing(operator, "host:web-3", "baseline:today") == [("idna", "3.4", "3.7")]  # the majority of the pinned
    with writing(operator.engine) as connection:
        reported(connection, "web-4", running("1.0"), datetime.now(UTC), "prod")
        reported(connection, "web-5", running("1.0"), datetime.now(UTC), "prod")
        reported(connection, "web-6", running("1.0"), datetime.now(UTC), "prod")
    assert differing(operator, "host:web-3", "baseline:today") == [("idna", "3.4", "3.7")]


def test_removing_leaves_no_row_behind(operator: Asking) -> None:
    pin(operator)
    pin(operator, reason="another")
    gone = operator.ask("DELETE", "/api/v1/baselines/shop", params={"version": 2})
    assert (gone.status_code, gone.json()) == (200, {"removed": "shop"})
    with reading(operator.engine) as connection:
        for table in (baseline_version, baseline_section):
            assert connection.scalar(select(func.count()).select_from(table)) == 0
    for answer in (
        operator.get("/api/v1/baselines/shop"),
        operator.get("/api/v1/compare", left="env:prod", right="baseline:shop"),
        approve(operator, 2),
        operator.ask("DELETE", "/api/v1/baselines/shop", params={"version": 2}),
    ):
        assert (answer.status_code, answer.json()["detail"]) == (404, "no baseline shop")


def test_a_baseline_of_another_environment_is_not_there(fleet: Asking, operator: Asking) -> None:
    pin(operator)
    approve(operator, 1)
    stranger = scoped(fleet, frozenset({"dev"}))
    assert stranger.get("/api/v1/baselines").json() == {"baselines": [], "total": 0}
    assert stranger.get("/api/v1/baselines/shop").status_code == 404
    assert approve(stranger, 1).status_code == 404
    assert stranger.ask("DELETE", "/api/v1/baselines/shop", params={"version": 1}).status_code == 404
    assert pin(stranger, source="env:dev").status_code == 409  # the name is taken
    assert pin(stranger, name="mine", source="env:prod").status_code == 422  # never seen
    assert pin(stranger, name="mine", source="env:dev", applies_to="env:prod").status_code == 422
    assert pin(stranger, name="mine", source="env:dev", applies_to="env:*").status_code == 422
    assert pin(stranger, name="mine", source="env:dev").status_code == 200
    assert [one["name"] for one in stranger.get("/api/v1/baselines").json()["baselines"]] == ["mine"]


def test_a_baseline_across_environments_is_for_those_who_see_all(fleet: Asking, operator: Asking) -> None:
    assert pin(operator, source="role=web").status_code == 200
    (found,) = operator.get("/api/v1/baselines").json()["baselines"]
    assert (found["applies_to"], found["environment"]) == ("role=web", None)
    assert scoped(fleet, frozenset({"prod"})).get("/api/v1/baselines/shop").status_code == 404


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"reason": None}, 422),
        ({"source": "env:prdo"}, 422),
        ({"source": "evn:prod"}, 422),
        ({"source": "host:nobody"}, 422),
        ({"name": "a/b"}, 422),
        ({"name": "a\0"}, 422),
        ({"reason": "a\0b"}, 422),
        ({"reason": "x" * 1025}, 422),
        ({"applies_to": "env:prod@yesterday"}, 422),
        ({"applies_to": "env:prod#os"}, 422),
        ({"applies_to": "baseline:shop"}, 422),
        ({"applies_to": "host:nobody"}, 422),
        ({"fingerprint": {"schema": 1}}, 422),
        ({"fingerprint": LOCK.document(), "source": "uv.lock"}, 422),  # for whom
        ({"fingerprint": host().document(), "applies_to": "env:prod"}, 422),  # nothing to pin
        ({"fingerprint": host(OPERATING_SYSTEM, kind="a\0b").document(), "applies_to": "env:prod"}, 422),
        ({"unknown": 1}, 422),
    ],
)
def test_a_wrong_proposal_is_refused_and_leaves_nothing(operator: Asking, changed: dict[str, Any], status: int) -> None:
    answer = pin(operator, **changed)
    assert answer.status_code == status, answer.text
    assert answer.json()["detail"]
    assert operator.get("/api/v1/baselines").json()["total"] == 0


def test_whom_a_baseline_is_for_is_not_changed_by_a_proposal(operator: Asking) -> None:
    pin(operator)
    answer = pin(operator, applies_to="env:dev")
    assert (answer.status_code, answer.json()["detail"]) == (409, "baseline shop is for env:prod,role=web")
    today = operator.ask("POST", "/api/v1/baselines/shop/today", json={"of": "env:dev", "reason": "r"})
    assert today.status_code == 409


def test_every_decision_is_in_the_audit_log(operator: Asking) -> None:
    pin(operator)
    approve(operator, 1)
    operator.ask("POST", "/api/v1/baselines/shop/withdraw", json={"version": 1, "reason": "x"})
    operator.ask("DELETE", "/api/v1/baselines/shop", params={"version": 1})
    operator.ask("POST", "/api/v1/baselines/t/today", json={"of": "env:prod", "reason": "r"})
    with reading(operator.engine) as connection:
        found = audit.entries(connection)
    assert [(one.action, one.object, one.actor, one.environment) for one in reversed(found)] == [
        ("baseline.pin", "shop", "token:tests", "prod"),
        ("baseline.approve", "shop", "token:tests", "prod"),
        ("baseline.withdraw", "shop", "token:tests", "prod"),
        ("baseline.remove", "shop", "token:tests", "prod"),
        ("baseline.today", "t", "token:tests", "prod"),
    ]


def test_a_viewer_may_look_and_not_decide(fleet: Asking) -> None:
    viewer = fleet.as_role("viewer")
    assert viewer.get("/api/v1/baselines").status_code == 200
    assert pin(viewer).status_code == 403


def test_the_gate_judges_against_a_baseline(fleet: Asking, operator: Asking) -> None:
    pin(operator)
    pipeline = fleet.as_role("ci")

    def verdict(version: str, against: str = "baseline:shop") -> str:
        question = {"fingerprint": running(version).document(), "against": against}
        return str(pipeline.ask("POST", "/api/v1/gates", json=question).json()["verdict"])

    assert verdict("3.7") == "unknown"  # nobody approved it
    assert verdict("3.7", "baseline:shop/1") == "unknown"
    approve(operator, 1)
    assert (verdict("3.7"), verdict("3.4")) == ("parity", "drift")
