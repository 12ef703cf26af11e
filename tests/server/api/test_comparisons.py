"""Tests of what readers and pipelines ask: hosts, fingerprints, comparisons, verdicts."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # it ships no types

from envparity_agent import schema
from envparity_agent.canonical import canonical, decode
from envparity_agent.documents import from_document
from envparity_agent.fingerprint import Fingerprint, Reason, Status
from envparity_server.storage import hosts
from envparity_server.storage.database import writing
from tests.server.asking import Asking
from tests.server.fleet import enrolled, reported
from tests.server.making import ENGINE, OPERATING_SYSTEM, SEARCHED, host, packages, section


def running(version: str) -> Fingerprint:
    """A host with a version of idna."""
    return host(OPERATING_SYSTEM, SEARCHED, ENGINE, packages({"idna": version, "flask": "3.0"}))


@pytest.fixture
def fleet(api: Asking) -> Asking:
    """A server that knows two hosts of prod, one of dev, a stale one, and one that never reported."""
    now = datetime.now(UTC)
    with writing(api.engine) as connection:
        reported(connection, "web-1", running("3.7"), now, "prod", {"role": "web"})
        reported(connection, "web-2", running("3.7"), now, "prod", {"role": "web"})
        reported(connection, "dev-1", running("3.4"), now, "dev")
        reported(connection, "old-1", running("3.7"), now - timedelta(days=2), "old")
        enrolled(connection, "silent", "staging")
    return api


@pytest.fixture
def viewer(fleet: Asking) -> Asking:
    """Somebody who may read."""
    return fleet.as_role("viewer")


@pytest.fixture
def pipeline(fleet: Asking) -> Asking:
    """A pipeline."""
    return fleet.as_role("ci")


def judged(asking: Asking, subject: Fingerprint, against: str = "env:prod", **more: str) -> dict[str, Any]:
    """The verdict of the gate."""
    answer = asking.ask("POST", "/api/v1/gates", json={"fingerprint": subject.document(), "against": against, **more})
    assert answer.status_code == 200, answer.text
    verdict: dict[str, Any] = answer.json()
    return verdict


def test_the_fingerprint_of_a_host_is_the_document_that_it_sent(viewer: Asking) -> None:
    answer = viewer.get("/api/v1/fingerprints", of="host:web-1").json()
    found = from_document(decode(canonical(answer["fingerprint"])))
    assert (found.root, found.target.name, answer["notes"]) == (running("3.7").root, "web-1", [])
    assert list(Draft202012Validator(schema.fingerprint()).iter_errors(answer["fingerprint"])) == []


def test_the_fingerprint_of_a_split_environment_fits_what_is_promised(fleet: Asking, viewer: Asking) -> None:
    with writing(fleet.engine) as connection:
        reported(connection, "dev-2", running("3.7"), datetime.now(UTC), "dev")
    document = viewer.get("/api/v1/fingerprints", of="env:dev").json()["fingerprint"]
    assert from_document(decode(canonical(document))).sections["python/srv/shop"].items["idna"] == {
        "split": ("3.4: 1 host", "3.7: 1 host")
    }
    assert list(Draft202012Validator(schema.fingerprint()).iter_errors(document)) == []


def test_a_stale_host_is_said_beside_its_fingerprint(viewer: Asking) -> None:
    (note,) = viewer.get("/api/v1/fingerprints", of="host:old-1").json()["notes"]
    assert note.startswith("host:old-1: 1 of 1 stale: old-1 (last seen ")


def test_two_environments_are_compared(viewer: Asking) -> None:
    found = viewer.get("/api/v1/compare", left="env:dev", right="env:prod").json()
    (difference,) = found["differences"]
    assert (difference["item"], difference["left"], difference["right"], difference["severity"]) == (
        "idna", "3.4", "3.7", "medium",
    )  # fmt: skip
    assert found["summary"] == {"same": 3, "changed": 1}
    assert (found["left"], found["right"]) == (
        {"kind": "environment", "name": "env:dev"},
        {"kind": "environment", "name": "env:prod"},
    )
    assert found["not_examined"] == []


def test_a_comparison_has_a_scope(viewer: Asking) -> None:
    assert viewer.get("/api/v1/compare", left="env:dev", right="env:prod", only="os").json()["differences"] == []


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"left": "env:dev"}, 422),
        ({"left": "env:dev", "right": "evn:prod"}, 422),
        ({"left": "env:dev", "right": "host:nobody"}, 422),
        ({"left": "env:dev", "right": "env:prod", "only": "pyhton"}, 422),
        ({"left": "env:dev", "right": "env:prod", "only": "os", "app": "shop"}, 422),
        ({"left": "env:dev", "right": "host:web-1@tomorrow"}, 422),
        ({"left": "env:dev", "right": "host:web-1@0001-01-01T00:00+12:00"}, 422),
        ({"left": "env:dev", "right": "host:web-1#nowhere"}, 422),
        ({"left": "env:dev", "right": "x" * 1025}, 422),
        ({"left": "env:dev", "right": "host:a\0b"}, 422),
        ({"left": "env:dev", "right": "env:a\0b"}, 422),
        ({"left": "env:dev", "right": "env:prdo"}, 422),
        ({"left": "env:dev", "right": "host:silent"}, 424),
        ({"left": "env:dev", "right": "host:web-1@2001-01-01"}, 424),
    ],
)
def test_a_wrong_question_is_told_from_one_without_an_answer(
    viewer: Asking, query: dict[str, str], status: int
) -> None:
    answer = viewer.get("/api/v1/compare", **query)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


def test_the_gate_lets_parity_pass(pipeline: Asking) -> None:
    verdict = judged(pipeline, running("3.7"))
    assert set(verdict) == {"schema", "verdict", "threshold", "reasons", "differences", "paired", "summary", "notes",
                            "expected", "rules", "remarks"}  # fmt: skip
    assert (verdict["verdict"], verdict["threshold"], verdict["reasons"]) == ("parity", "low", [])
    assert "4 items the same" in verdict["summary"]


def test_the_gate_stops_on_drift_with_words(pipeline: Asking) -> None:
    verdict = judged(pipeline, running("3.4"))
    assert verdict["verdict"] == "drift"
    assert [(one["item"], one["severity"], one["words"]) for one in verdict["differences"]] == [
        ("idna", "medium", "3.4 → 3.7")
    ]
    assert verdict["summary"] == "1 medium against env:prod"


def test_the_gate_has_a_threshold_and_a_scope(pipeline: Asking) -> None:
    assert judged(pipeline, running("3.4"), fail_on="HIGH")["verdict"] == "parity"
    assert judged(pipeline, running("3.4"), only="os")["verdict"] == "parity"
    assert judged(pipeline, running("3.4"), only="python")["verdict"] == "drift"
    assert judged(pipeline, running("3.7"), app="nowhere")["verdict"] == "unknown"


@pytest.mark.parametrize("against", ["host:silent", "env:staging", "env:prod,role=mail", "host:old-1"])
def test_the_gate_is_never_green_without_a_good_reference(pipeline: Asking, against: str) -> None:
    verdict = judged(pipeline, running("3.7"), against)
    assert verdict["verdict"] == "unknown"
    assert verdict["reasons"]


def test_the_gate_is_never_green_where_hosts_do_not_agree(fleet: Asking, pipeline: Asking) -> None:
    with writing(fleet.engine) as connection:
        reported(connection, "dev-2", running("3.7"), datetime.now(UTC), "dev")
    verdict = judged(pipeline, running("3.7"), "env:dev")
    assert (verdict["verdict"], verdict["reasons"]) == ("unknown", ["python/srv/shop: idna is unknown"])


def test_the_gate_is_never_green_where_this_side_could_not_be_read(pipeline: Asking) -> None:
    blind = section("containers", {}, Status.FAILED, Reason.UNREACHABLE)
    subject = host(*{**running("3.7").sections, "containers": blind}.values())
    verdict = judged(pipeline, subject)
    assert verdict["verdict"] == "unknown"
    assert verdict["reasons"] == ["containers: left: failed(unreachable)"]


@pytest.mark.parametrize(
    "changed",
    [
        {"against": "evn:prod"},
        {"against": "host:nobody"},
        {"against": None},
        {"against": 5},
        {"against": "host:web-1@0001-01-01T00:00+12:00"},
        {"only": "pyhton"},
        {"only": ["os"]},
        {"fail_on": "worst"},
        {"fail_on": ""},
        {"fingerprint": None},
        {"fingerprint": {}},
        {"fingerprint": {**running("3.7").document(), "root": "sha256:" + "0" * 64}},
        {"fingerprint": {**running("3.7").document(), "schema": 999}},
        {"fingerprint": {**running("3.7").document(), "sections": {"os": {"status": {}}}}},
        {"fingerprint": {**running("3.7").document(), "sections": {"os": {"kind": "os", "schema": 1, "status": {}}}}},
    ],
)
def test_a_wrong_question_of_a_pipeline_is_refused(pipeline: Asking, changed: dict[str, Any]) -> None:
    question = {"fingerprint": running("3.7").document(), "against": "env:prod", **changed}
    answer = pipeline.ask("POST", "/api/v1/gates", json=question)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"]


def test_a_host_of_the_same_name_elsewhere_tells_nothing_of_itself(fleet: Asking) -> None:
    with writing(fleet.engine) as connection:
        enrolled(connection, "staging-1", "staging", {"role": "secret"})
        own = reported(connection, "mine", running("3.7"), datetime.now(UTC), "dev")
        hosts.change(connection, own.id, name="staging-1")
    scoped = fleet.as_role("viewer", frozenset({"dev"}))
    told = scoped.get("/api/v1/fingerprints", of="host:staging-1").json()["subject"]
    assert (told["id"], told["environment"], told["labels"]) == (own.id, "dev", {})


def test_a_rule_for_a_host_of_the_same_name_elsewhere_does_not_judge(fleet: Asking) -> None:
    with writing(fleet.engine) as connection:
        other = enrolled(connection, "staging-1", "staging")
        own = reported(connection, "mine", running("3.7"), datetime.now(UTC), "dev")
        hosts.change(connection, own.id, name="staging-1")
    rule = {"match": "python/*", "hosts": f"host:{other.id}", "reason": "a secret of staging"}
    assert fleet.as_role("operator").ask("POST", "/api/v1/rules", json=rule).status_code == 201
    verdict = judged(fleet.as_role("ci", frozenset({"dev"})), running("3.4"), "host:staging-1")
    assert (verdict["verdict"], "secret" in str(verdict)) == ("drift", False)
